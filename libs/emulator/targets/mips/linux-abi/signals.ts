/**
 * Signals of Linux on MIPS: numbers, flags, and the layouts of sigaction, stack_t, sigset_t and siginfo_t for o32.
 * Source: asm/signal.h, asm/siginfo.h and asm-generic/siginfo.h of Linux 6.1's user-space headers.
 */
import type { SignalAction } from '../../linux-abi/kernel-abi.js';
import type { AbiMemory, SignalInfo, SignalStack } from '../../linux-abi/user-cpu.js';

/** si_code of the signals that the CPU's exceptions become. */
export const FaultCode = {
  SI_KERNEL: 0x80,
  TRAP_BRKPT: 1,
  FPE_INTDIV: 1,
  FPE_INTOVF: 2,
  FPE_FLTDIV: 3,
  FPE_FLTOVF: 4,
  FPE_FLTUND: 5,
  FPE_FLTRES: 6,
  FPE_FLTINV: 7,
} as const;

const NAMES =
  'HUP INT QUIT ILL TRAP ABRT EMT FPE KILL BUS SEGV SYS PIPE ALRM TERM USR1 USR2 CHLD PWR WINCH URG IO STOP TSTP CONT ' +
  'TTIN TTOU VTALRM PROF XCPU XFSZ';

export const MIPS_SIGNALS: ReadonlyMap<string, number> = new Map(
  NAMES.split(' ').map((name, i) => [`SIG${name}`, i + 1] as const),
);

/** _NSIG: MIPS has twice as many as others. */
export const MIPS_LAST_SIGNAL = 128;
export const SIGNAL_SET_BYTES = MIPS_LAST_SIGNAL / 8;

export const ACTION_FLAGS = {
  noChildStop: 0x00000001,
  noChildWait: 0x00010000,
  info: 0x00000008,
  onStack: 0x08000000,
  restart: 0x10000000,
  noDefer: 0x40000000,
  resetHandler: 0x80000000,
} as const;

export const MASK_OPERATIONS = { block: 1, unblock: 2, set: 3 } as const;

/** A set is four words in the CPU's order, signal 1 being the lowest bit of the first. */
export function readSignalSet(memory: AbiMemory, address: number): bigint {
  let mask = 0n;
  for (let i = SIGNAL_SET_BYTES / 4 - 1; i >= 0; i--) mask = (mask << 32n) | BigInt(memory.u32(address + 4 * i));
  return mask;
}

export function writeSignalSet(memory: AbiMemory, address: number, mask: bigint): void {
  for (let i = 0; i < SIGNAL_SET_BYTES / 4; i++)
    memory.setU32(address + 4 * i, Number((mask >> BigInt(32 * i)) & 0xffffffffn));
}

/** struct sigaction: flags, handler, mask. There is no restorer: the kernel brings the return code. */
export function readSignalAction(memory: AbiMemory, address: number): SignalAction {
  return {
    flags: memory.u32(address),
    handler: memory.u32(address + 4),
    mask: readSignalSet(memory, address + 8),
    restorer: 0,
  };
}

export function writeSignalAction(memory: AbiMemory, address: number, action: SignalAction): void {
  memory.setU32(address, action.flags);
  memory.setU32(address + 4, action.handler);
  writeSignalSet(memory, address + 8, action.mask);
}

/** stack_t: address, size, flags, in this order. */
export function readSignalStack(memory: AbiMemory, address: number): SignalStack {
  return { address: memory.u32(address), size: memory.u32(address + 4), flags: memory.u32(address + 8) };
}

export function writeSignalStack(memory: AbiMemory, address: number, stack: SignalStack): void {
  memory.setU32(address, stack.address);
  memory.setU32(address + 4, stack.size);
  memory.setU32(address + 8, stack.flags);
}

/** siginfo_t: number, code, errno (MIPS swaps the last two), then what the kind of signal has. */
export function encodeSignalInfo({ signal, code, detail }: SignalInfo, little: boolean): Uint8Array {
  const bytes = new Uint8Array(128);
  if (detail.kind === 'bytes') bytes.set(detail.bytes.subarray(0, 128));
  const view = new DataView(bytes.buffer);
  const put = (offset: number, ...values: number[]): void =>
    values.forEach((value, i) => view.setInt32(offset + 4 * i, value | 0, little));
  put(0, signal, code);
  switch (detail.kind) {
    case 'sender':
      put(12, detail.pid, detail.uid, detail.value ?? 0);
      break;
    case 'fault':
      put(12, detail.address);
      break;
    case 'child':
      put(12, detail.pid, detail.uid, detail.status, detail.userTicks, detail.systemTicks);
      break;
    case 'timer':
      put(12, detail.id, detail.overrun, detail.value);
      break;
    case 'bytes':
    case 'none':
      break;
  }
  return bytes;
}
