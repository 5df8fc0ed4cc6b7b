/**
 * What Linux puts on a thread's stack for a signal handler on MIPS o32: sigframe for plain handlers, rt_sigframe for
 * those that take siginfo_t. Source: asm/sigcontext.h and asm/ucontext.h of Linux 6.1's user-space headers; order of the
 * frames' parts as unwinders expect it (linux-unwind.h of GCC documents the offsets).
 */
import type { AbiMemory, SignalDelivery, SignalStack } from '../../linux-abi/user-cpu.js';
import type { FloatRegisters } from '../float-registers.js';
import * as S from '../state.js';
import { encodeSignalInfo, readSignalSet, readSignalStack, writeSignalSet, writeSignalStack } from './signals.js';

/** Both frames start with the argument area of o32 and two words that once held the return code. */
const RETURN_CODE = 16;
const HEADER = 24;

/** struct sigcontext: byte offsets. Registers are 64 bits wide whatever the CPU. */
const Context = {
  pc: 8,
  registers: 16,
  floats: 272,
  fcsr: 532,
  usedMath: 540,
  hi: 552,
  lo: 560,
  bytes: 592,
} as const;
/** sc_usedmath: the thread has used the FPU; its registers are 64 bits wide. */
const USED_FP = 1;
const USED_FR1 = 2;

/** struct sigframe: sigcontext, mask. */
const PLAIN = { context: HEADER, mask: HEADER + Context.bytes, bytes: HEADER + Context.bytes + 16 } as const;
/** struct rt_sigframe: siginfo, then struct ucontext: flags, link, stack, padding, sigcontext, mask. */
const INFO = {
  info: HEADER,
  ucontext: HEADER + 128,
  stack: HEADER + 128 + 8,
  context: HEADER + 128 + 24,
  mask: HEADER + 128 + 24 + Context.bytes,
  bytes: HEADER + 128 + 24 + Context.bytes + 16,
} as const;

const NR_SIGRETURN = 4119;
const NR_RT_SIGRETURN = 4193;
const LI_V0 = 0x24020000;
const SYSCALL = 0x0000000c;

/** Last page of user space, executable: handlers return to it, and it makes the system call. */
export const SIGNAL_PAGE_ADDRESS = 0x7fff7000;
const RETURN_PLAIN = SIGNAL_PAGE_ADDRESS;
const RETURN_INFO = SIGNAL_PAGE_ADDRESS + 16;

export function signalPage(little: boolean): Uint8Array {
  const page = new Uint8Array(32);
  const view = new DataView(page.buffer);
  for (const [offset, number] of [
    [0, NR_SIGRETURN],
    [16, NR_RT_SIGRETURN],
  ] as const) {
    view.setUint32(offset, LI_V0 | number, little);
    view.setUint32(offset + 4, SYSCALL, little);
  }
  return page;
}

interface Registers {
  readonly state: DataView;
  readonly floats: FloatRegisters;
  readonly little: boolean;
}

/** @returns registers with which the handler starts, by number */
export function writeSignalFrame(
  memory: AbiMemory,
  delivery: SignalDelivery,
  registers: Registers & { readonly fcsr: number; readonly pc: number },
): Readonly<Record<number, number>> {
  const { withInfo, stackPointer, info } = delivery;
  const layout = withInfo ? INFO : PLAIN;
  // Room below the interrupted stack pointer, as the kernel leaves for the FPU emulator's instructions.
  const frame = (((stackPointer - 32 - layout.bytes) >>> 0) & ~7) >>> 0;
  const bytes = new Uint8Array(layout.bytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(RETURN_CODE, LI_V0 | (withInfo ? NR_RT_SIGRETURN : NR_SIGRETURN), registers.little);
  view.setUint32(RETURN_CODE + 4, SYSCALL, registers.little);
  writeContext(view, layout.context, registers);
  if (withInfo) bytes.set(encodeSignalInfo(info, registers.little), INFO.info);
  memory.write(frame, bytes);
  writeSignalSet(memory, frame + layout.mask, delivery.mask);
  if (withInfo) writeSignalStack(memory, frame + INFO.stack, delivery.alternateStack);
  return {
    4: info.signal,
    5: withInfo ? frame + INFO.info : 0,
    6: withInfo ? frame + INFO.ucontext : frame + PLAIN.context,
    29: frame,
    31: withInfo ? RETURN_INFO : RETURN_PLAIN,
  };
}

function writeContext(
  view: DataView,
  base: number,
  { state, floats, fcsr, pc, little }: Registers & { readonly fcsr: number; readonly pc: number },
): void {
  const signExtended = (offset: number, value: number): void =>
    view.setBigInt64(base + offset, BigInt(value | 0), little);
  signExtended(Context.pc, pc);
  for (let i = 1; i < 32; i++) signExtended(Context.registers + 8 * i, state.getInt32(S.gprOffset(i), true));
  for (let i = 0; i < 32; i += floats.wide ? 1 : 2)
    view.setBigUint64(base + Context.floats + 8 * i, floats.double(i), little);
  view.setUint32(base + Context.fcsr, fcsr, little);
  view.setUint32(base + Context.usedMath, USED_FP | (floats.wide ? USED_FR1 : 0), little);
  signExtended(Context.hi, state.getInt32(S.HI.offset, true));
  signExtended(Context.lo, state.getInt32(S.LO.offset, true));
}

/** Restores the registers of a frame at the stack pointer; the rest is returned. */
export function readSignalFrame(
  memory: AbiMemory,
  frame: number,
  withInfo: boolean,
  { state, floats, little }: Registers,
): { pc: number; fcsr: number; mask: bigint; alternateStack?: SignalStack } {
  const layout = withInfo ? INFO : PLAIN;
  const bytes = memory.read(frame + layout.context, Context.bytes).slice();
  const view = new DataView(bytes.buffer);
  const low = (offset: number): number => Number(BigInt.asIntN(32, view.getBigUint64(offset, little)));
  for (let i = 1; i < 32; i++) state.setInt32(S.gprOffset(i), low(Context.registers + 8 * i), true);
  for (let i = 0; i < 32; i += floats.wide ? 1 : 2)
    floats.setDouble(i, view.getBigUint64(Context.floats + 8 * i, little));
  state.setInt32(S.HI.offset, low(Context.hi), true);
  state.setInt32(S.LO.offset, low(Context.lo), true);
  return {
    pc: low(Context.pc) >>> 0,
    fcsr: view.getUint32(Context.fcsr, little),
    mask: readSignalSet(memory, frame + layout.mask),
    alternateStack: withInfo ? readSignalStack(memory, frame + INFO.stack) : undefined,
  };
}
