import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { BoardInfo, LoadedConfig, Machine, MachineEnd } from '@bootlab/emulator';
import { loadImages } from '@bootlab/emulator';
import { ConfigError } from '@bootlab/emulator/core';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Engine } from './boot/run.js';
import { runCommandLine } from './command-line.js';

const BOARD: BoardInfo = {
  id: 'malta',
  name: 'MIPS Malta',
  description: 'Development board.',
  arch: 'mips',
  byteOrders: ['little', 'big'],
  cpus: [
    { id: '4Kc', description: 'MIPS32' },
    { id: '24Kf', description: 'MIPS32 release 2 with FPU' },
  ],
  defaultCpu: '24Kf',
  memory: { minBytes: 16 * 2 ** 20, maxBytes: 2 ** 30, defaultBytes: 128 * 2 ** 20 },
  consoles: [
    { name: 'uart0', description: 'ttyS0' },
    { name: 'uart1', description: 'ttyS1' },
  ],
  devices: [{ name: 'rtc', type: 'mc146818', description: 'Clock', address: '0x70', irq: '8' }],
  drives: 2,
  defaultCmdline: 'console=ttyS0',
  boot: 'An ELF kernel starts as YAMON starts it.',
  instructionsPerSecond: 200e6,
  selfTest: true,
};

const JIT = {
  regions: 3,
  guestInstructions: 120,
  wasmBytes: 4000,
  translateMs: 5,
  compileMs: 6,
  installMs: 7,
  invalidated: 1,
  flushes: 0,
  strays: 8,
  failures: 0,
  cache: { hits: 4, misses: 3, bytes: 5000 },
};
const TRANSLATION = { instructions: 4_000_000, ...JIT };

/** What the pretended guest does next; `wait` leaves room for what the host does meanwhile. */
type Act =
  | { print: string | Uint8Array; uart?: string }
  | { writeDisk: string }
  | { wait: number }
  | { execute: number }
  | { end: MachineEnd };

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A board that plays a script, one virtual millisecond an act, and remembers what it was told. */
class PlayedBoard implements Engine {
  config: LoadedConfig | undefined;
  limits: Parameters<Engine['runMachine']>[1] | undefined;
  typed = '';
  refuse: ConfigError | undefined;

  constructor(private readonly script: readonly Act[]) {}

  createMachine: Engine['createMachine'] = (config) => {
    if (this.refuse) return Promise.reject(this.refuse);
    this.config = loadImages(config);
    return Promise.resolve(this.machine);
  };

  selfTestFirmware = (board: string, byteOrder: string): Uint8Array => bytes(`${board} ${byteOrder}`);
  boardCatalogue = (): readonly BoardInfo[] => [BOARD];

  runMachine: Engine['runMachine'] = async (_machine, limits) => {
    this.limits = limits;
    for (const act of this.script) {
      if (limits.signal?.aborted) return { kind: 'aborted' };
      this.nowNs += 1e6;
      if ('end' in act) return act.end;
      if ('writeDisk' in act) this.config?.drives?.[0]?.write(0, bytes(act.writeDisk));
      else if ('execute' in act)
        this.sample?.({ programCounter: act.execute, instructions: 100_000, callers: () => [] });
      else if ('wait' in act) await this.idle(act.wait, limits.signal);
      else
        this.listener?.({
          uart: act.uart ?? 'uart0',
          tNs: this.nowNs,
          data: typeof act.print === 'string' ? bytes(act.print) : act.print,
        });
    }
    return limits.signal?.aborted ? { kind: 'aborted' } : { kind: 'timeout' };
  };

  /** Host time passes until a key is typed or the run is aborted, as with a real board that idles. */
  private idle(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.typing = wake;
      signal?.addEventListener('abort', wake);
    });
  }

  private typing: (() => void) | undefined;
  private nowNs = 0;
  private listener: Parameters<Machine['onConsole']>[0] | undefined;
  private sample: Parameters<Machine['onSample']>[1] | undefined;

  private readonly machine: Machine = ((board) => ({
    board: BOARD,
    consoles: BOARD.consoles,
    get nowNs() {
      return board.nowNs;
    },
    onConsole: (listener) => {
      board.listener = listener;
      return () => (board.listener = undefined);
    },
    onInput: () => () => undefined,
    onSample: (_, listener) => {
      board.sample = listener;
    },
    passIdleTime: () => undefined,
    reset: () => undefined,
    sendConsole: (uart, data) => {
      board.typing?.();
      board.typed += `${uart === 'uart0' ? '' : uart}${new TextDecoder().decode(data)}`;
    },
    run: () => ({ kind: 'limit' }),
    stats: () => ({
      instructions: 5_000_000,
      virtualNs: board.nowNs,
      exits: { mmio: 3 },
      tlbMisses: 7,
      translation: { ...TRANSLATION },
    }),
    ramSha256: () => Promise.resolve('ab'.repeat(32)),
    ramWrittenBytes: 0,
    close: () => undefined,
  }))(this);
}

interface Ran {
  status: number;
  out: string;
  err: string;
  board: PlayedBoard;
}

class Host {
  readonly stdin = Object.assign(new PassThrough(), {
    isTTY: false,
    raw: [] as boolean[],
    setRawMode: (on: boolean) => this.stdin.raw.push(on),
  });
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly signals = new EventEmitter();
}

async function bootlab(
  args: readonly string[],
  script: readonly Act[] = [],
  prepare?: (host: Host, board: PlayedBoard) => void,
): Promise<Ran> {
  const host = new Host();
  const board = new PlayedBoard(script);
  prepare?.(host, board);
  const status = await runCommandLine(args, { version: '1.2.3', host, engine: board });
  const text = (stream: PassThrough): string => String(stream.read() ?? '');
  return { status, out: text(host.stdout), err: text(host.stderr), board };
}

let folder: string;
let kernel: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-cli-'));
  kernel = join(folder, 'vmlinux');
  writeFileSync(kernel, 'kernel bytes');
});
afterEach(() => rmSync(folder, { recursive: true }));

const boot = (...args: string[]): string[] => ['boot', '--board', 'malta', '--kernel', kernel, ...args];
const POWER_OFF: Act = { end: { kind: 'power-off' } };

describe('bootlab boot: exit status', () => {
  it.each<[string, string[], Act[], number, RegExp]>([
    ['guest powers off', [], [{ print: 'hi\n' }, POWER_OFF], 0, /pass: The guest powered off/],
    ['guest resets itself', [], [{ end: { kind: 'reset' } }], 1, /fail: The guest reset the board/],
    ['guest is dead', [], [{ end: { kind: 'dead', reason: 'it waits for ever' } }], 1, /it waits for ever/],
    ['time-out', [], [], 1, /timeout: .*5m/],
    ['wall-clock guard', [], [{ end: { kind: 'wall-guard' } }], 3, /infra: /],
    ['expectation met', ['--expect', 'lo.in:'], [{ print: 'login: ' }, { wait: 0 }], 0, /pass: All steps/],
    [
      'expectation not met',
      ['--expect', 'login:'],
      [{ print: 'panic' }],
      1,
      /step 1 \(expect "login:"\) was not reached/,
    ],
    ['powers off before the expectation', ['--expect', 'login:'], [POWER_OFF], 1, /powered off; step 1/],
    [
      'resets after all expectations',
      ['--expect', 'a', '--send', 'b'],
      [{ print: 'a' }, { end: { kind: 'reset' } }],
      0,
      /reset/,
    ],
    [
      'expectation met, guard afterwards',
      ['--expect', 'a', '--send', 'b'],
      [{ print: 'a' }, { end: { kind: 'wall-guard' } }],
      3,
      /infra/,
    ],
  ])('%s', async (_name, args, script, status, message) => {
    const ran = await bootlab(boot(...args), script);
    expect(ran.err).toMatch(message);
    expect(ran.status).toBe(status);
  });

  it('is what the guest made of it when the emulator remarks something, which is told at the end', async () => {
    const ran = await bootlab(boot(), [{ print: 'a line' }, { end: { kind: 'power-off' } }], (_host, board) => {
      const create = board.createMachine;
      board.createMachine = (config, engine) => {
        engine?.warn?.('it got along');
        return create(config, engine);
      };
    });
    expect(ran.status).toBe(0);
    expect(ran.err).toMatch(/^bootlab: it got along\nbootlab: pass: /m);
  });

  it('is 3 with a trace when the emulator breaks', async () => {
    const ran = await bootlab(boot(), [], (_host, board) => {
      board.runMachine = () => Promise.reject(new Error('invariant broken'));
    });
    expect(ran).toMatchObject({ status: 3, err: expect.stringMatching(/internal error.*invariant broken/) });
  });
});

describe('bootlab boot: what the machine gets', () => {
  it('passes every option on', async () => {
    const initrd = join(folder, 'initrd');
    const disk = join(folder, 'disk');
    writeFileSync(initrd, 'initrd bytes');
    writeFileSync(disk, 'disk bytes');
    const { board } = await bootlab(
      boot(
        '--cpu',
        '4Kc',
        '--memory',
        '64M',
        '--initrd',
        initrd,
        '--append',
        'quiet',
        '--drive',
        disk,
        '--rtc',
        '86400',
        '--timeout',
        '90s',
      ).concat('--wall-guard', '1m', '--clock', 'wall', '--accel', 'interp', '--byte-order', 'big'),
      [POWER_OFF],
    );
    expect(board.config).toMatchObject({
      board: 'malta',
      cpu: '4Kc',
      memoryBytes: 2 ** 26,
      cmdline: 'quiet',
      rtcStartSeconds: 86400,
      byteOrder: 'big',
    });
    expect(new TextDecoder().decode(board.config?.kernel)).toBe('kernel bytes');
    expect(new TextDecoder().decode(board.config?.initrd)).toBe('initrd bytes');
    expect(board.config?.drives?.map((drive) => drive.sizeBytes)).toEqual([10]);
    expect(board.limits).toMatchObject({ clock: 'wall', timeoutNs: 90e9, wallGuardMs: 60_000 });
  });

  it('never lets the guest change a disk image', async () => {
    const disk = join(folder, 'disk');
    writeFileSync(disk, 'disk bytes');
    expect((await bootlab(boot('--drive', disk), [{ writeDisk: 'DISK' }, POWER_OFF])).status).toBe(0);
    expect(readFileSync(disk, 'utf8')).toBe('disk bytes');
  });

  it("takes the board's own self-test for --firmware selftest", async () => {
    const { board } = await bootlab(
      ['boot', '--board', 'malta', '--firmware', 'selftest', '--byte-order', 'big'],
      [POWER_OFF],
    );
    expect(new TextDecoder().decode(board.config?.firmware)).toBe('malta big');
  });

  it('limits a run that nobody watches and leaves one at a terminal alone', async () => {
    const piped = await bootlab(boot(), [POWER_OFF]);
    expect(piped.board.limits).toMatchObject({ clock: 'virtual', timeoutNs: 300e9, wallGuardMs: 900_000 });
    const atTerminal = (...args: string[]): Promise<Ran> =>
      bootlab(boot(...args), [POWER_OFF], (host) => (host.stdin.isTTY = true));
    expect((await atTerminal()).board.limits).toMatchObject({
      clock: 'wall',
      timeoutNs: undefined,
      wallGuardMs: undefined,
    });
    expect((await atTerminal('--expect', 'x')).board.limits).toMatchObject({ clock: 'virtual', timeoutNs: 300e9 });
  });

  it.each([
    ['2026-01-31', Date.UTC(2026, 0, 31) / 1000],
    ['2026-01-31T12:30', Date.UTC(2026, 0, 31, 12, 30) / 1000],
    ['2026-01-31T12:30:05+02:00', Date.UTC(2026, 0, 31, 10, 30, 5) / 1000],
  ])('reads --rtc %s', async (text, seconds) => {
    expect((await bootlab(boot('--rtc', text), [POWER_OFF])).board.config?.rtcStartSeconds).toBe(seconds);
  });
});

describe('bootlab boot: console', () => {
  it("prints the first console's bytes as they are and keeps its own message on a line of its own", async () => {
    const ran = await bootlab(boot(), [{ print: 'Linux\r\n# ' }, { print: 'other', uart: 'uart1' }, POWER_OFF]);
    expect(ran.out).toBe('Linux\r\n# ');
    expect(ran.err).toMatch(/^\nbootlab: pass/);
  });

  it('walks --expect and --send in the order given', async () => {
    const script = [{ print: 'login: ' }, { print: 'root\r\n# ' }, { print: 'uname\r\nLinux\r\n' }, { wait: 0 }];
    const { board, status } = await bootlab(
      boot('--expect', 'login:', '--send', 'root\\n', '--expect', '# $', '--send', 'uname\\n', '--expect', 'Linux'),
      script,
    );
    expect(board.typed).toBe('root\nuname\n');
    expect(status).toBe(0);
  });

  it('sends nothing while the expectation before it is not met', async () => {
    expect((await bootlab(boot('--expect', 'login:', '--send', 'root'), [{ print: 'log' }])).board.typed).toBe('');
  });

  it('passes piped input on byte for byte; its end does not end the run', async () => {
    const { board, status } = await bootlab(boot(), [{ wait: 50 }, { print: 'still here' }, POWER_OFF], (host) =>
      host.stdin.end('ls\x01x\n'),
    );
    expect(board.typed).toBe('ls\x01x\n');
    expect(status).toBe(0);
  });

  describe('at a terminal', () => {
    const typing = (keys: string, record?: (host: Host) => void): Promise<Ran> =>
      bootlab(boot(), [{ wait: 10_000 }, { wait: 10_000 }], (host) => {
        host.stdin.isTTY = true;
        host.stdin.write(keys);
        record?.(host);
      });

    it('types for the guest until Ctrl-A x, and gives the terminal back', async () => {
      let host: Host | undefined;
      const { board, status, err } = await typing('ls\r\x03\x01x', (used) => (host = used));
      expect(board.typed).toBe('ls\r\x03');
      expect(status).toBe(0);
      expect(err).toMatch(/Ended from the keyboard/);
      expect(host?.stdin.raw).toEqual([true, false]);
    });

    it('sends Ctrl-A for Ctrl-A a and helps on Ctrl-A h', async () => {
      const { board, err } = await typing('a\x01ab\x01hc\x01x');
      expect(board.typed).toBe('a\x01bc');
      expect(err).toMatch(/Ctrl-A x {2}quit/);
    });

    it('fails when the person leaves before an expectation was met', async () => {
      const ran = await bootlab(boot('--expect', 'login:'), [{ wait: 10_000 }], (host) => {
        host.stdin.isTTY = true;
        host.stdin.write('\x01x');
      });
      expect(ran.status).toBe(1);
    });
  });

  it.each<[NodeJS.Signals, number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('ends cleanly on %s', async (signal, status) => {
    const stats = join(folder, 'stats.json');
    const ran = await bootlab(boot('--stats', stats), [{ wait: 10_000 }, { wait: 10_000 }], (host) => {
      setTimeout(() => host.signals.emit(signal), 20);
    });
    expect(ran.status).toBe(status);
    expect(ran.err).toMatch(`Ended by ${signal}`);
    expect(JSON.parse(readFileSync(stats, 'utf8'))).toMatchObject({ outcome: 'cancelled', ramSha256: null });
  });

  it('ends when nobody reads its output any more', async () => {
    const ran = await bootlab(boot(), [{ wait: 10_000 }, { wait: 10_000 }], (host) => {
      setTimeout(() => host.stdout.emit('error', Object.assign(new Error('EPIPE'), { code: 'EPIPE' })), 20);
    });
    expect(ran.status).toBe(141);
  });
});

describe('bootlab boot: files', () => {
  it('logs every console as JSON lines with virtual time, whole characters only', async () => {
    const log = join(folder, 'log');
    const euro = bytes('€');
    await bootlab(boot('--log', log), [
      { print: euro.slice(0, 2) },
      { print: 'x', uart: 'uart1' },
      { print: Uint8Array.of(...euro.slice(2), 0x21) },
      { print: Uint8Array.of(0xff, 0xc3) },
      POWER_OFF,
    ]);
    const lines = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([
      { t: 2e6, uart: 'uart1', data: 'x' },
      { t: 3e6, uart: 'uart0', data: '€!\ufffd' },
      { t: 3e6, uart: 'uart0', data: '\ufffd' },
    ]);
  });

  it('writes counters and timings', async () => {
    const stats = join(folder, 'stats.json');
    await bootlab(boot('--stats', stats), [{ print: '' }, POWER_OFF]);
    expect(JSON.parse(readFileSync(stats, 'utf8'))).toEqual({
      outcome: 'pass',
      reason: 'The guest powered off',
      board: 'malta',
      instructions: 5_000_000,
      wallSeconds: expect.any(Number),
      virtualSeconds: 0.002,
      mips: expect.any(Number),
      exits: { mmio: 3 },
      tlbMisses: 7,
      jit: { ...JIT, share: 0.8 },
      peakRssBytes: expect.any(Number),
      ramSha256: 'ab'.repeat(32),
    });
  });

  it('writes where the guest executed, with the names of a System.map', async () => {
    const [profile, map] = [join(folder, 'profile.json'), join(folder, 'System.map')];
    writeFileSync(map, '80100000 T start_kernel\n80100400 t idle\n80100500 D data\n');
    const { err } = await bootlab(boot('--profile', profile, '--symbols', map), [
      { execute: 0x80100010 },
      { execute: 0x801004fc },
      { execute: 0x80100408 },
      { execute: 0x77f01234 },
      POWER_OFF,
    ]);
    expect(err).toMatch(
      /4 samples in .*profile\.json.*hottest:\n {3}50\.0 % {2}idle\n {3}25\.0 % {2}0x77f01000 \(page\)\n/,
    );
    const graph = JSON.parse(readFileSync(profile, 'utf8'));
    expect(graph.bootlab).toMatchObject({ jit: { share: 0.8, regions: 3 } });
    expect(graph.bootlab.hottest[0]).toEqual({ name: 'idle', share: 0.5, instructions: 200_000 });
    const [{ samples, weights, type, endValue }] = graph.profiles;
    const stacks = samples.map((stack: number[]) => stack.map((i) => graph.shared.frames[i].name).join(';'));
    expect([type, endValue, weights]).toEqual(['sampled', 400_000, [200_000, 100_000, 100_000]]);
    expect(stacks).toEqual(['kernel;idle', 'kernel;start_kernel', 'user;0x77f01000 (page)']);
  });
});

describe('bad usage is exit status 2 and names the option and the mend', () => {
  it.each<[string[], RegExp]>([
    [[], /Usage: bootlab/],
    [['bot'], /unknown command 'bot'[^]*Did you mean boot/],
    [['boot'], /--board <id>' not specified/],
    [['boot', '--board', 'malt'], /--board.*'malt' is invalid.*malta/],
    [['boot', '--board', 'malta', '--kernal', 'x'], /unknown option '--kernal'[^]*Did you mean --kernel/],
    [['boot', '--board', 'malta', '--kernel'], /--kernel <file>' argument missing/],
    [['boot', '--board', 'malta', '--kernel', '/nowhere/vmlinux'], /--kernel: cannot read the file: ENOENT/],
    [['boot', '--board', 'malta', '--initrd', '/nowhere/initrd'], /--initrd: cannot read/],
    [['boot', '--board', 'malta', '--drive', '/nowhere/disk'], /--drive: cannot open disk image/],
    [['boot', '--board', 'malta', '--memory', 'lots'], /--memory.*"lots" is not a size.*256M/],
    [['boot', '--board', 'malta', '--timeout', '5'], /--timeout.*not a duration.*5m/],
    [['boot', '--board', 'malta', '--expect', '('], /--expect.*missing closing \)/],
    [['boot', '--board', 'malta', '--send', 'a\\q'], /--send.*no escape "\\q"/],
    [['boot', '--board', 'malta', '--send', ''], /--send.*nothing to send/],
    [['boot', '--board', 'malta', '--rtc', 'noon'], /--rtc.*"noon" is not a time.*ISO/],
    [['boot', '--board', 'malta', '--rtc', '2026-13-01'], /--rtc.*is not a time/],
    [['boot', '--board', 'malta', '--clock', 'fast'], /--clock.*virtual, wall/],
    [['boot', '--board', 'malta', '--accel', 'kvm'], /--accel.*interp/],
    [['boot', '--board', 'malta', 'vmlinux'], /too many arguments/],
    [['boot', '--board', 'malta', '--log', '/nowhere/log'], /--log: cannot create the file/],
    [['boot', '--board', 'malta', '--log', '--kernel'], /--log: wants a file, .*Name a file, or write \.\/--kernel/],
    [['boot', '--board', 'malta', '--symbols', 'map'], /--symbols: there is nothing to name. Give --profile/],
    [['boot', '--board', 'malta', '--profile', 'p', '--symbols', '/nowhere/map'], /--symbols: cannot read/],
    [
      ['boot', '--board', 'malta', '--profile', 'p', '--symbols', '/dev/null'],
      /--symbols: it is neither an ELF.*System.map/,
    ],
    [['boards', 'pc'], /no board 'pc'.*malta/],
  ])('%j', async (args, message) => {
    const ran = await bootlab(args, [POWER_OFF]);
    expect(ran.err).toMatch(message);
    expect(ran.status).toBe(2);
    expect(ran.out).toBe('');
  });

  it("turns the emulator's complaint about a field into one about the option", async () => {
    const ran = await bootlab(boot(), [], (_host, board) => {
      board.refuse = new ConfigError(
        'memoryBytes',
        'the kernel needs 40 MiB but there are 16',
        'Give the board more memory',
      );
    });
    expect(ran.status).toBe(2);
    expect(ran.err).toBe('bootlab: --memory: the kernel needs 40 MiB but there are 16. Give the board more memory.\n');
  });
});

describe('bootlab boards, --help, --version', () => {
  it('lists the catalogue', async () => {
    expect((await bootlab(['boards'])).out).toMatch(/malta +mips +4Kc 24Kf +MIPS Malta\n/);
  });

  it('describes one board', async () => {
    const { out, status } = await bootlab(['boards', 'malta']);
    expect(status).toBe(0);
    expect(out).toMatch(/128M \(16M to 1G\)/);
    expect(out).toMatch(/24Kf \(default\) {2}MIPS32 release 2/);
    expect(out).toMatch(/rtc {2}mc146818 {2}0x70 {2}8 {2}Clock/);
  });

  it('prints the catalogue as JSON', async () => {
    expect(JSON.parse((await bootlab(['boards', '--json'])).out)).toEqual([BOARD]);
    expect(JSON.parse((await bootlab(['boards', 'malta', '--json'])).out)).toEqual(BOARD);
  });

  it.each([[['--help']], [['boot', '--help']], [['boards', '--help']]])('helps: %j', async (args) => {
    const { out, status } = await bootlab(args);
    expect(status).toBe(0);
    expect(out).toMatch(/Usage: bootlab/);
  });

  it('tells its version', async () =>
    expect(await bootlab(['--version'])).toMatchObject({ out: '1.2.3\n', status: 0 }));
});
