/** Debuggers: ptrace(2), process_vm_readv(2), process_vm_writev(2). */
import { Errno } from '../kernel/contracts.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import { withRegisters } from '../kernel/registers.js';
import type { Thread } from '../kernel/thread.js';
import type { Tracing } from '../kernel/tracing.js';
import { detach, enterEvent, enterGroupStop, KNOWN_OPTIONS, resume, trace, TraceEvent } from '../kernel/tracing.js';

/** Numbers that all architectures share with MIPS (linux/ptrace.h, asm/ptrace.h). */
const Request = {
  TraceMe: 0,
  PeekText: 1,
  PeekData: 2,
  PeekUser: 3,
  PokeText: 4,
  PokeData: 5,
  PokeUser: 6,
  Continue: 7,
  Kill: 8,
  GetRegisters: 12,
  SetRegisters: 13,
  GetFloats: 14,
  SetFloats: 15,
  Attach: 16,
  Detach: 17,
  Syscall: 24,
  GetThreadArea: 25,
  OldSetOptions: 21,
  SetOptions: 0x4200,
  GetEventMessage: 0x4201,
  GetSignalInfo: 0x4202,
  SetSignalInfo: 0x4203,
  GetRegisterSet: 0x4204,
  SetRegisterSet: 0x4205,
  Seize: 0x4206,
  Interrupt: 0x4207,
  Listen: 0x4208,
  GetSignalMask: 0x420a,
  SetSignalMask: 0x420b,
  GetSyscallInfo: 0x420e,
} as const;

/** struct ptrace_syscall_info: what is happening, and the parts of the union. */
const SyscallInfo = { none: 0, entry: 1, exit: 2, headerBytes: 24, entryBytes: 80, exitBytes: 33 } as const;
/** AUDIT_ARCH_… is the ELF machine and this for little-endian ones (linux/audit.h). */
const AUDIT_LITTLE = 0x40000000;
/** A tracer asks for no more than this of a register set. */
const MAX_SET_BYTES = 4096;

/** The thread that a request is about. @throws Errno ESRCH where it is not traced by the caller, or runs */
function tracee(thread: Thread, tid: number, mayRun = false): { target: Thread; tracing: Tracing } {
  const target = thread.kernel.threads.get(tid);
  const tracing = target?.trace;
  if (!target || tracing?.tracer !== thread.owner) throw new Errno('ESRCH');
  if (!mayRun && !tracing.stop) throw new Errno('ESRCH');
  return { target, tracing };
}

function attach(thread: Thread, tid: number): Thread {
  const target = thread.kernel.threads.get(tid);
  if (!target) throw new Errno('ESRCH');
  if (target.owner === thread.owner || target.trace) throw new Errno('EPERM');
  return target;
}

function checkedOptions(options: number): number {
  if (options & ~KNOWN_OPTIONS) throw new Errno('EINVAL');
  return options;
}

function peek(target: Thread, address: number): number {
  const { byteOrder, pointerBytes } = target.memory;
  const bytes = target.owner.memory.peek(address, pointerBytes);
  if (bytes.length < pointerBytes) throw new Errno('EIO');
  return new DataView(bytes.buffer).getUint32(0, byteOrder === 'little');
}

function poke(target: Thread, address: number, value: number): void {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, target.memory.byteOrder === 'little');
  if (target.owner.memory.poke(address, bytes) < 4) throw new Errno('EIO');
}

/** @param vector struct iovec: where the set is or goes, and its size, which becomes what was moved */
function registerSet(thread: Thread, target: Thread, type: number, vector: number, write: boolean): number {
  const { memory } = thread;
  const [base, length] = [memory.u32(vector), Math.min(memory.u32(vector + memory.pointerBytes), MAX_SET_BYTES)];
  const moved = withRegisters(target, ({ debugRegisters }) => {
    const set = debugRegisters.registerSet(type);
    if (!set) throw new Errno('EINVAL');
    const bytes = Math.min(length, set.length);
    if (write) debugRegisters.setRegisterSet(type, memory.read(base, bytes));
    else memory.write(base, set.subarray(0, bytes));
    return bytes;
  });
  memory.setU32(vector + memory.pointerBytes, moved);
  return 0;
}

/** PTRACE_GET_SYSCALL_INFO. @returns how large all of it is */
function syscallInfo(thread: Thread, target: Thread, size: number, address: number): number {
  const { abi } = target.kernel;
  const little = abi.byteOrder === 'little';
  const view = new DataView(new ArrayBuffer(SyscallInfo.entryBytes));
  const kind = target.trace?.stop?.kind;
  const [pc, stack] = withRegisters(target, (cpu) => [cpu.programCounter, cpu.stackPointer] as const);
  view.setUint32(4, abi.elfMachine | (little ? AUDIT_LITTLE : 0), little);
  view.setBigUint64(8, BigInt(pc), little);
  view.setBigUint64(16, BigInt(stack), little);
  let bytes: number = SyscallInfo.headerBytes;
  if (kind === 'enter' && target.syscall) {
    const { number, args } = target.syscall.trapped;
    view.setUint8(0, SyscallInfo.entry);
    view.setBigUint64(24, BigInt(number), little);
    for (let i = 0; i < 6; i++) view.setBigUint64(32 + 8 * i, BigInt(args[i] ?? 0), little);
    bytes = SyscallInfo.entryBytes;
  } else if (kind === 'exit') {
    const { value, isError } = withRegisters(target, (cpu) => cpu.syscallResult);
    view.setUint8(0, SyscallInfo.exit);
    view.setBigInt64(24, BigInt(isError ? -value : value), little);
    view.setUint8(32, isError ? 1 : 0);
    bytes = SyscallInfo.exitBytes;
  }
  thread.memory.write(address, new Uint8Array(view.buffer, 0, Math.min(size, bytes)));
  return bytes;
}

const ptrace: KernelSyscall = (thread, request, tid, address, data) => {
  const { kernel, memory } = thread;
  switch (request) {
    case Request.TraceMe: {
      const { parent } = thread.owner;
      if (thread.trace || !parent) throw new Errno('EPERM');
      trace(thread, parent);
      return 0;
    }
    case Request.Attach: {
      const target = attach(thread, tid);
      trace(target, thread.owner);
      const { stoppedBy } = target.owner;
      if (stoppedBy === undefined) kernel.sender.toThread(target, kernel.signals.ofKernel('SIGSTOP'));
      else {
        target.owner.stoppedBy = undefined;
        enterGroupStop(target, stoppedBy);
      }
      return 0;
    }
    case Request.Seize:
      if (address !== 0 || data & ~KNOWN_OPTIONS) throw new Errno('EIO');
      trace(attach(thread, tid), thread.owner, { seized: true, options: data });
      return 0;
    case Request.Interrupt: {
      const { target, tracing } = tracee(thread, tid, true);
      if (!tracing.seized) throw new Errno('EIO');
      if (!tracing.stop) enterEvent(target, TraceEvent.Stop, 0);
      return 0;
    }
    case Request.Kill: {
      const { target } = tracee(thread, tid, true);
      kernel.exitProcess(target.owner, { kind: 'killed', signal: kernel.signals.number('SIGKILL') });
      return 0;
    }
    default:
      return ofStopped(thread, request, tid, address, data, memory);
  }
};

/** Requests that want their thread stopped. */
function ofStopped(
  thread: Thread,
  request: number,
  tid: number,
  address: number,
  data: number,
  memory: Thread['memory'],
): number {
  const { abi, signals } = thread.kernel;
  const { target, tracing } = tracee(thread, tid);
  switch (request) {
    case Request.PeekText:
    case Request.PeekData:
      memory.setU32(data, peek(target, address));
      return 0;
    case Request.PokeText:
    case Request.PokeData:
      poke(target, address, data);
      return 0;
    case Request.PeekUser: {
      const value = withRegisters(target, ({ debugRegisters }) => debugRegisters.user(address));
      if (value === undefined) throw new Errno('EIO');
      memory.setU32(data, value);
      return 0;
    }
    case Request.PokeUser:
      if (!withRegisters(target, ({ debugRegisters }) => debugRegisters.setUser(address, data))) throw new Errno('EIO');
      return 0;
    case Request.GetRegisters:
      memory.write(
        data,
        withRegisters(target, ({ debugRegisters }) => debugRegisters.general()),
      );
      return 0;
    case Request.SetRegisters:
      withRegisters(target, ({ debugRegisters: registers }) =>
        registers.setGeneral(memory.read(data, registers.generalBytes)),
      );
      return 0;
    case Request.GetFloats:
      memory.write(
        data,
        withRegisters(target, ({ debugRegisters }) => debugRegisters.floatingPoint()),
      );
      return 0;
    case Request.SetFloats:
      withRegisters(target, ({ debugRegisters: registers }) =>
        registers.setFloatingPoint(memory.read(data, registers.floatingPointBytes)),
      );
      return 0;
    case Request.GetRegisterSet:
    case Request.SetRegisterSet:
      return registerSet(thread, target, address, data, request === Request.SetRegisterSet);
    case Request.GetThreadArea:
      memory.setU32(
        data,
        withRegisters(target, ({ threadPointer }) => threadPointer),
      );
      return 0;
    case Request.Continue:
    case Request.Syscall:
      if (data > signals.last) throw new Errno('EIO');
      resume(target, { untilSyscall: request === Request.Syscall, signal: data });
      return 0;
    case Request.Detach:
      if (data > signals.last) throw new Errno('EIO');
      detach(target, data);
      return 0;
    case Request.OldSetOptions:
    case Request.SetOptions:
      tracing.options = checkedOptions(data);
      return 0;
    case Request.GetEventMessage:
      memory.setU32(data, tracing.eventMessage);
      return 0;
    case Request.GetSignalInfo:
      if (!tracing.stop || (tracing.stop.kind === 'group' && !tracing.seized)) throw new Errno('EINVAL');
      memory.write(data, abi.encodeSignalInfo(tracing.stop.info));
      return 0;
    case Request.SetSignalInfo: {
      const { stop } = tracing;
      if (stop?.kind !== 'signal') throw new Errno('EINVAL');
      const bytes = memory.read(data, 128).slice();
      const info = { signal: memory.u32(data), code: stop.info.code, detail: { kind: 'bytes', bytes } as const };
      tracing.stop = { ...stop, info };
      return 0;
    }
    case Request.Listen:
      if (!tracing.seized || tracing.stop?.kind !== 'group') throw new Errno('EIO');
      tracing.stop.listening = true;
      return 0;
    case Request.GetSignalMask:
      if (address !== 8 && address !== abi.signalSetBytes) throw new Errno('EINVAL');
      writeMask(thread, target, data, address);
      return 0;
    case Request.SetSignalMask:
      if (address !== abi.signalSetBytes) throw new Errno('EINVAL');
      target.setMask(abi.readSignalSet(memory, data));
      return 0;
    case Request.GetSyscallInfo:
      return syscallInfo(thread, target, address, data);
    default:
      // Single steps and watch points: MIPS has none that Linux offers; debuggers set breakpoints instead.
      throw new Errno('EIO');
  }
}

function writeMask(thread: Thread, target: Thread, address: number, bytes: number): void {
  const view = new DataView(new ArrayBuffer(16));
  const { byteOrder } = thread.memory;
  for (let i = 0; i < 4; i++)
    view.setUint32(4 * i, Number((target.mask >> BigInt(32 * i)) & 0xffffffffn), byteOrder === 'little');
  thread.memory.write(address, new Uint8Array(view.buffer, 0, bytes));
}

// ---- memory of other processes -----------------------------------------------------------------------------------------

const MAX_VECTORS = 1024;
/** At a time: what a program asks for may be more than there is. */
const MAX_MOVED_BYTES = 65_536;

interface Range {
  readonly base: number;
  readonly length: number;
}

function vectorsAt({ memory }: Thread, address: number, count: number): Range[] {
  if (count > MAX_VECTORS) throw new Errno('EINVAL');
  return Array.from({ length: count }, (_, i) => ({
    base: memory.u32(address + 8 * i),
    length: memory.u32(address + 8 * i + 4),
  }));
}

function transfer(write: boolean): KernelSyscall {
  return (thread, pid, local, localCount, remote, remoteCount, flags) => {
    if (flags !== 0) throw new Errno('EINVAL');
    const [here, there] = [vectorsAt(thread, local, localCount), vectorsAt(thread, remote, remoteCount)];
    const target = thread.kernel.processes.get(pid) ?? thread.kernel.threads.get(pid)?.owner;
    if (!target?.isAlive) throw new Errno('ESRCH');
    const { credentials } = thread.owner;
    if (credentials.euid !== 0 && credentials.euid !== target.credentials.uid) throw new Errno('EPERM');
    let moved = 0;
    let [index, offset] = [0, 0];
    for (const { base, length } of there) {
      for (let done = 0; done < length;) {
        const mine = here[index];
        if (!mine) return moved;
        const count = Math.min(length - done, mine.length - offset, MAX_MOVED_BYTES);
        const [from, to] = [base + done, mine.base + offset];
        try {
          if (write) target.memory.write(from, thread.memory.read(to, count));
          else thread.memory.write(to, target.memory.read(from, count));
        } catch (error) {
          if (!(error instanceof Errno) || moved === 0) throw error;
          return moved;
        }
        moved += count;
        done += count;
        offset += count;
        if (offset >= mine.length) [index, offset] = [index + 1, 0];
      }
    }
    return moved;
  };
}

/** kcmp(2): what two threads may have in common. */
const Kcmp = { File: 0, Memory: 1, Files: 2, Directories: 3, Handlers: 4, IoContext: 5, SemaphoreUndo: 6 } as const;

/** @returns 0 the same, 1 and 2 an order between what is not */
const compare: KernelSyscall = (thread, pid1, pid2, type, index1, index2) => {
  const found = [pid1, pid2].map((pid) => thread.kernel.threads.get(pid)?.owner);
  const [one, other] = found;
  if (!one || !other) throw new Errno('ESRCH');
  const same = (): boolean => {
    switch (type) {
      case Kcmp.File:
        return one.files.file(index1) === other.files.file(index2);
      case Kcmp.Memory:
        return one.space === other.space;
      case Kcmp.Files:
        return one.files.descriptorTable === other.files.descriptorTable;
      case Kcmp.Directories:
        return one.files === other.files;
      case Kcmp.Handlers:
        return one.handlers === other.handlers;
      case Kcmp.IoContext:
      case Kcmp.SemaphoreUndo:
        return one === other;
      default:
        throw new Errno('EINVAL');
    }
  };
  if (same()) return 0;
  return one.pid < other.pid || (one === other && index1 < index2) ? 1 : 2;
};

export const debuggerSyscalls: Readonly<Record<string, KernelSyscall>> = {
  ptrace,
  kcmp: compare,
  process_vm_readv: transfer(false),
  process_vm_writev: transfer(true),
};
