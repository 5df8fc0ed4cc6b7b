import type { KernelEventKind } from './kinds.js';

/**
 * First lines of what goes wrong in Linux, time stamp taken off. The words are the kernel's: kernel/panic.c, lib/bug.c,
 * kernel/watchdog.c, kernel/rcu/tree_stall.h, kernel/hung_task.c, mm/kasan/report.c, lib/ubsan.c,
 * kernel/locking/lockdep.c, mm/oom_kill.c, and each architecture's traps.c and fault.c.
 * The first that fits counts. No pattern can backtrack: none has a repetition next to what it could eat.
 */
export const SIGNATURES: readonly { kind: KernelEventKind; pattern: RegExp }[] = [
  { kind: 'kernel-panic', pattern: /^Kernel panic - not syncing/ },
  { kind: 'kasan', pattern: /^BUG: (?:KASAN|KFENCE|KMSAN): / },
  { kind: 'ubsan', pattern: /^UBSAN: / },
  { kind: 'soft-lockup', pattern: /^(?:watchdog: )?BUG: soft lockup - CPU#\d+ stuck/ },
  // arch/powerpc/kernel/watchdog.c names it with the CPU first.
  {
    kind: 'hard-lockup',
    pattern:
      /^(?:NMI )?[Ww]atchdog:? (?:Watchdog detected hard LOCKUP|CPU:? ?\d+ (?:self-detected |detected )?[Hh]ard LOCKUP)/,
  },
  { kind: 'rcu-stall', pattern: /^(?:rcu: )?INFO: rcu\w* (?:self-)?detected (?:expedited )?stalls? on CPU/ },
  { kind: 'hung-task', pattern: /^INFO: task .{1,80} blocked (?:in I\/O wait )?(?:for more than \d+ seconds|on a )/ },
  {
    kind: 'lockdep',
    pattern:
      /^WARNING: (?:possible (?:circular|recursive|irq lock)|inconsistent lock state|suspicious RCU usage|bad unlock balance|held lock freed|lock held when|(?:HARD|SOFT)IRQ-safe|[a-z-]+-safe -> |bad contention|Nested lock|nested lock|chain cache|DEADLOCK)/,
  },
  {
    kind: 'lockdep',
    pattern: /^(?:\[ )?BUG: (?:Invalid wait context|bad unlock balance|held lock freed|bad contention)/,
  },
  { kind: 'lockdep', pattern: /^=+\[ (?:INFO|BUG): / },
  { kind: 'oom', pattern: /^\S{1,64} invoked oom-killer: / },
  // Page faults and traps that the kernel did not expect of itself.
  {
    kind: 'oops',
    pattern: /^BUG: (?:unable to handle|kernel NULL pointer|[Uu]nable to handle kernel|Kernel NULL pointer)/,
  },
  { kind: 'oops', pattern: /^(?:CPU \d+ )?Unable to handle kernel / },
  { kind: 'oops', pattern: /^(?:Internal error: )?Oops(?: - |:|\[#| \[#)/ },
  { kind: 'oops', pattern: /^Internal error: / },
  {
    kind: 'oops',
    pattern:
      /^(?:general protection fault|invalid opcode|divide error|stack segment|double fault|int3|bounds|page fault|alignment check|control protection)\b.{0,80}\[#\d+\]/,
  },
  {
    kind: 'oops',
    pattern:
      /^(?:Reserved instruction|Unhandled kernel unaligned access|Kernel unaligned instruction access|Break instruction|Trap instruction|Kernel bug detected|do_cpu invoked|Kernel BUG|kernel BUG) ?.{0,40}\[#\d+\]/,
  },
  { kind: 'oops', pattern: /^\S.{0,60} \[#\d+\]\s*(?:SMP|PREEMPT|$)/ },
  { kind: 'bug', pattern: /^kernel BUG at / },
  { kind: 'bug', pattern: /^BUG: / },
  { kind: 'warning', pattern: /^WARNING: (?:CPU: \d+ PID: \d+ at |\S{1,200}:\d+ at )/ },
];

/** Lines that come before the first one and belong to it: "cut here". */
export const CUT_HERE = /^(?:-{4,}\[ cut here \]-{4,}|8<--- cut here ---|={20,})$/;

/** Lines after which nothing of the trace follows. */
export const TRACE_END = /^---\[ end (?:trace|Kernel panic)/;
/** KASAN and lockdep reports stand between rules. */
export const RULE = /^={20,}$/;

/**
 * Lines that only traces have: registers, stacks, call traces, what the kernel says about itself in them. In MIPS, ARM,
 * x86, PowerPC, RISC-V and SPARC kernels alike, these are indented, hexadecimal, or begin with one of few words.
 */
export function isTraceLine(text: string): boolean {
  return (
    text === '' ||
    /^[\s[(<#-]/.test(text) ||
    /\b[\w.]+\+0x[0-9a-f]+\/0x[0-9a-f]+/.test(text) ||
    /\b[0-9a-f]{8}\b/.test(text) ||
    TRACE_WORDS.test(text)
  );
}

const TRACE_WORDS =
  /^(?:CPU|Call Trace|Call trace|Backtrace|Stack|Code|Modules linked|Hardware name|Workqueue|Process|task|Tainted|Comm|PID|pc|lr|sp|epc|ra|gp|tp|ps|psr|xpsr|Hi|Lo|Status|Cause|BadVA|PrId|PC|LR|NIP|LINK|MSR|REGS|TRAP|GPR|CFAR|DAR|DSISR|RIP|RSP|RAX|RBX|RCX|RDX|RSI|RDI|RBP|R\d\d|EIP|EAX|ESI|EFLAGS|FS|ES|DS|CS|CR\d|DR\d|PKRU|PGD|PUD|P4D|PMD|pgd|Mem abort|Data abort|Exception|Control|Flags|Register|Kernel Offset|Rebooting|note|status|badaddr|cause|Faulting|Instruction dump|Interrupt|Read of|Write of|Allocated by|Freed by|The buggy|Memory state|page|flags|raw|Disabling lock|Mem-Info|Node|DMA|Normal|HighMem|Tasks state|oom-kill|Out of memory|oom_reaper|irq event|hardirqs|softirqs|other info|stack backtrace|Possible|the existing|which lock|rcu|NMI backtrace|Sending NMI|Showing|INFO: lockdep|Last Breaking|BE|LE|SMP|Internal|Oops|invalid opcode|kernel BUG|Unable|\$ ?\d|[rxast]\d{1,2} ?:|zero)(?![a-z])/;
