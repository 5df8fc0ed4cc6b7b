import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConsoleText } from '../../steps/console-text.js';
import { KERNEL_QUIET_NS, KernelWatch, type KernelEvent } from './kernel-watch.js';

// samples/: consoles in the shape of real kernels', and beside each what goes wrong in it.
// BOOTLAB_WRITE_SAMPLES=1 writes the expected files anew; read the difference before it is committed.

const SAMPLES = path.join(import.meta.dirname, 'samples');
const logs = readdirSync(SAMPLES).filter((name) => name.endsWith('.log'));
const read = (name: string): string => readFileSync(path.join(SAMPLES, name), 'utf8');

/** A console whose lines come at the times of their stamps, as on a real board; others 10 ms after the line before. */
class Console {
  readonly events: KernelEvent[] = [];
  readonly watch = new KernelWatch('uart0', (event) => this.events.push(event));
  private readonly text = new ConsoleText({
    plain: () => undefined,
    user: () => undefined,
    userLine: () => undefined,
    logLine: (line) => this.watch.push(line),
  });
  nowNs = 0;

  print(log: string): this {
    for (const line of log.split(/(?<=\n)/)) {
      const stamp = /\[ *(\d+\.\d{6})\]/.exec(line)?.[1];
      this.nowNs = Math.max(this.nowNs + 1e7, stamp === undefined ? 0 : Number(stamp) * 1e9);
      this.text.feed(line, this.nowNs);
    }
    return this;
  }

  end(): KernelEvent[] {
    this.text.end();
    this.watch.end();
    return this.events;
  }
}

const kinds = (events: readonly KernelEvent[]): string[] => events.map(({ kind }) => kind);

describe.each(logs)('%s', (name) => {
  const events = new Console().print(read(name)).end();

  it('gives what went wrong, with the whole trace', () => {
    const file = path.join(SAMPLES, name.replace('.log', '.json'));
    const seen = events.map(({ kind, title, lines }) => ({ kind, title, lines }));
    if (process.env['BOOTLAB_WRITE_SAMPLES']) writeFileSync(file, `${JSON.stringify(seen, null, 2)}\n`);
    expect(seen).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });

  it('cuts the trace out as it stands in the log', () => {
    const lines = read(name).split('\n');
    for (const event of events) {
      const part = lines
        .slice(event.lines.first - 1, event.lines.last)
        .filter((line) => line.startsWith('[') || name === 'unstamped.log');
      expect(event.trace.split('\n')).toEqual(part);
    }
  });

  it('is the same with serial line ends and in the middle of what programs print', () => {
    const serial = read(name).replace(/^\[/gm, 'prog[').replaceAll('\n', '\r\n');
    expect(kinds(new Console().print(serial).end())).toEqual(kinds(events));
  });

  it('finds nothing new where dmesg prints it all again', () => {
    if (name === 'unstamped.log') return; // without time stamps nobody can tell
    expect(new Console().print(read(name)).print('# dmesg\n').print(read(name)).end()).toEqual(events);
  });
});

describe('a trace', () => {
  const panic = read('x86-panic.log');

  it('is open until its end marker, and complete at once then', () => {
    const console = new Console();
    const lines = panic.split(/(?<=\n)/);
    for (const [index, line] of lines.entries()) {
      console.print(line);
      const marker = lines
        .slice(0, index + 1)
        .join('')
        .includes('---[ end Kernel panic');
      if (line.includes('Kernel panic - not')) expect(console.watch.open).toBe(!marker);
    }
    expect(kinds(console.events)).toEqual(['oops', 'kernel-panic']);
  });

  it('without an end marker is over after a time of silence, in virtual time', () => {
    const console = new Console().print(read('riscv-oops.log'));
    expect(console.watch.open).toBe(true);
    console.watch.advance(console.nowNs + KERNEL_QUIET_NS - 1);
    expect(console.watch.open).toBe(true);
    console.watch.advance(console.watch.deadlineNs);
    expect(kinds(console.events)).toEqual(['oops', 'kernel-panic']);
    expect(console.events[1]?.trace).toContain('Rebooting in 1 seconds');
  });

  it('is over when the kernel speaks of other things, without those', () => {
    const chatter = Array.from({ length: 10 }, (_, i) => `[   10.0080${i}0] usb 1-${i}: new device found\n`).join('');
    const [event] = new Console()
      .print(read('stalls.log').split('\n').slice(0, 8).join('\n') + '\n' + chatter.replaceAll('[   10', '[  100'))
      .end();
    expect(event?.trace).not.toContain('usb');
    expect(event?.lines).toEqual({ first: 1, last: 8 });
  });

  /** The kernel's lines, a microsecond apart. */
  const lines = (...texts: string[]): string =>
    texts.map((text, index) => `[    1.${String(index).padStart(6, '0')}] ${text}\n`).join('');
  const frames = (count: number): string[] => Array.from({ length: count }, (_, i) => ` f${i}+0x1/0x2`);
  const others = (count: number): string[] => Array.from({ length: count }, (_, i) => `usb 1-${i}: new device found`);

  it('goes on over a few lines of other CPUs', () => {
    const ends = (between: number): number | undefined =>
      new Console().print(lines('Oops[#1]:', ...others(between), ...frames(1))).end()[0]?.lines.last;
    expect([ends(5), ends(6)]).toEqual([7, 1]);
  });

  it('has the next message of the same incident in it, but no later one', () => {
    const found = (between: number): string[] =>
      kinds(new Console().print(lines('Oops[#1]:', ...frames(between), 'Oops[#2]:')).end());
    expect([found(29), found(30)]).toEqual([['oops'], ['oops', 'oops']]);
  });

  it('begins where the kernel says so, if it soon says of what', () => {
    const warning = 'WARNING: CPU: 1 PID: 34 at lib/refcount.c:28 refcount_warn_saturate+0xf4/0x144';
    const begins = (between: number): number | undefined =>
      new Console().print(lines('------------[ cut here ]------------', ...others(between), warning)).end()[0]?.lines
        .first;
    expect([begins(0), begins(3), begins(4)]).toEqual([1, 1, 6]);
  });

  it('that never ends is cut at a length', () => {
    const flood = Array.from({ length: 3000 }, (_, i) => `[    1.${String(i).padStart(6, '0')}]  f+0x1/0x2\n`).join('');
    const [event] = new Console().print('[    1.000000] Oops[#1]:\n' + flood).end();
    expect(event?.trace.split('\n')).toHaveLength(1000);
    const wide = `[    1.000001]  ${'f+0x1/0x2 '.repeat(2000)}\n`.repeat(100);
    const [long] = new Console().print('[    1.000000] Oops[#1]:\n' + wide).end();
    expect(long?.trace.length).toBeGreaterThan(256 * 1024);
    expect(long?.trace.length).toBeLessThan(300 * 1024);
  });
});

describe('first lines', () => {
  it.each([
    ['Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)', 'kernel-panic'],
    ['Kernel panic - not syncing: Fatal exception in interrupt', 'kernel-panic'],
    // MIPS
    [
      'CPU 0 Unable to handle kernel paging request at virtual address 00000000, epc == 80108e04, ra == 80108df8',
      'oops',
    ],
    ['Oops[#1]:', 'oops'],
    ['Kernel bug detected[#1]:', 'oops'],
    ['Reserved instruction in kernel code[#1]:', 'oops'],
    ['Unhandled kernel unaligned access[#1]:', 'oops'],
    // ARM, arm64
    ['Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010', 'oops'],
    ['Internal error: Oops: 0000000096000005 [#1] PREEMPT SMP', 'oops'],
    ['Internal error: Oops - undefined instruction: 0 [#1] ARM', 'oops'],
    ['Internal error: synchronous external abort: 0000000096000210 [#1] SMP', 'oops'],
    // x86
    ['BUG: unable to handle page fault for address: ffffffffdeadbeef', 'oops'],
    [
      'Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP PTI',
      'oops',
    ],
    ['general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP', 'oops'],
    ['invalid opcode: 0000 [#1] SMP', 'oops'],
    ['divide error: 0000 [#1] PREEMPT SMP', 'oops'],
    // PowerPC
    ['BUG: Unable to handle kernel data access on read at 0xdeadbeef', 'oops'],
    ['Oops: Exception in kernel mode, sig: 4 [#1]', 'oops'],
    // RISC-V
    ['Unable to handle kernel paging request at virtual address ffffffff00000000', 'oops'],
    ['Kernel BUG [#1]', 'oops'],
    ['kernel BUG at fs/inode.c:611!', 'bug'],
    ['BUG: scheduling while atomic: swapper/0/1/0x00000002', 'bug'],
    ['BUG: Bad page state in process sh  pfn:12345', 'bug'],
    ['WARNING: CPU: 0 PID: 1 at kernel/smp.c:433 __flush_smp_call_function_queue+0x10/0x20', 'warning'],
    ['WARNING: kernel/smp.c:433 at smp_call+0x10/0x20, CPU#0: swapper/0/1', 'warning'],
    ['rcu: INFO: rcu_sched detected stalls on CPUs/tasks:', 'rcu-stall'],
    [
      'rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-... } 21 jiffies s: 61 root: 0x2/.',
      'rcu-stall',
    ],
    ['INFO: rcu_sched self-detected stall on CPU', 'rcu-stall'],
    ['watchdog: BUG: soft lockup - CPU#3 stuck for 26s! [kworker/3:1:123]', 'soft-lockup'],
    ['NMI watchdog: Watchdog detected hard LOCKUP on cpu 2', 'hard-lockup'],
    ['watchdog: CPU 0 self-detected hard LOCKUP @ plpar_hcall_norets+0x1c/0x28', 'hard-lockup'],
    ['watchdog: Watchdog detected hard LOCKUP on cpu 2', 'hard-lockup'],
    ['INFO: task jbd2/sda1-8:101 blocked for more than 122 seconds.', 'hung-task'],
    ['BUG: KASAN: use-after-free in foo+0x1/0x2', 'kasan'],
    ['BUG: KFENCE: out-of-bounds read in foo+0x1/0x2', 'kasan'],
    ['UBSAN: shift-out-of-bounds in lib/foo.c:1:2', 'ubsan'],
    ['WARNING: possible recursive locking detected', 'lockdep'],
    ['WARNING: inconsistent lock state', 'lockdep'],
    ['WARNING: suspicious RCU usage', 'lockdep'],
    ['WARNING: bad unlock balance detected!', 'lockdep'],
    ['[ BUG: Invalid wait context ]', 'lockdep'],
    ['python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0', 'oom'],
  ])('%s: %s', (line, kind) => {
    expect(kinds(new Console().print(`[    1.000000] ${line}\n`).end())).toEqual([kind]);
  });

  it.each([
    'systemd[1]: Started bug reporter.',
    'EXT4-fs (sda1): warning: mounting unchecked fs',
    'BUGS: none',
    'usb 1-1: Warning: unusual',
    'printk: console [ttyS0] enabled',
    'cfg80211: failed to load regulatory.db [#1 attempt]',
  ])('%s: nothing', (line) => expect(new Console().print(`[    1.000000] ${line}\n`).end()).toEqual([]));
});

it('takes linear time on lines made to make it slow', () => {
  const started = performance.now();
  const console = new Console();
  for (const piece of [' ', '[', 'a+0x', '0', '=', '- ', 'x [#1', 'WARNING: ', 'task ', '<1>']) {
    const line = piece.repeat(16_000 / piece.length);
    console.print(`${line}\n[    1.000000] ${line}\n[    1.000001] INFO: task ${line}\n`);
  }
  console.end();
  expect(performance.now() - started).toBeLessThan(5000);
});
