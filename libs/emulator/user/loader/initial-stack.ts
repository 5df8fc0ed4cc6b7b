import type { KernelAbi } from '../../targets/index.js';
import type { Credentials } from '../kernel/contracts.js';
import { Errno } from '../kernel/contracts.js';
import type { GuestMemory } from '../memory/index.js';
import { pageDown } from '../memory/index.js';

/** Types of the auxiliary vector (linux/auxvec.h). */
const Auxiliary = {
  Null: 0,
  ProgramHeaders: 3,
  ProgramHeaderBytes: 4,
  ProgramHeaderCount: 5,
  PageSize: 6,
  InterpreterBase: 7,
  Flags: 8,
  Entry: 9,
  Uid: 11,
  EffectiveUid: 12,
  Gid: 13,
  EffectiveGid: 14,
  HardwareCapabilities: 16,
  ClockTicks: 17,
  Secure: 23,
  BasePlatform: 24,
  Random: 25,
  CalledAs: 31,
} as const;

/** Ticks per second of times(2) and of /proc. */
export const CLOCK_TICKS = 100;

/** Longest single argument, and all of them together: a quarter of the default stack (MAX_ARG_STRLEN, ARG_MAX). */
const MAX_STRING = 32 * 4096;
const MAX_STRINGS = 2 << 20;

export interface InitialStack {
  readonly abi: KernelAbi;
  readonly calledAs: Uint8Array;
  readonly argv: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
  readonly credentials: Credentials;
  readonly random: Uint8Array;
  readonly programHeaders: number;
  readonly programHeaderBytes: number;
  readonly programHeaderCount: number;
  readonly interpreterBase: number;
  readonly entry: number;
}

/**
 * Lays out what a program finds on its stack: strings at the top, below them the auxiliary vector, the environment, the
 * arguments and their count (System V ABI, process initialisation).
 * @throws Errno E2BIG
 */
export function buildInitialStack(
  stack: InitialStack,
  top: number,
  memory: Pick<GuestMemory, 'write'>,
): { stackPointer: number; auxiliaryVector: Uint8Array } {
  const { abi, argv, environment, credentials } = stack;
  const word = abi.pointerBytes;
  const strings = [...argv, ...environment];
  const total = strings.reduce((sum, text) => sum + text.length + 1 + word, 0);
  if (total > MAX_STRINGS || strings.some(({ length }) => length >= MAX_STRING)) throw new Errno('E2BIG');

  let at = top - word; // a zero word ends the stack
  const push = (bytes: Uint8Array): number => {
    at -= bytes.length;
    memory.write(at, bytes);
    return at;
  };
  const pushString = (text: Uint8Array): number => {
    const bytes = new Uint8Array(text.length + 1);
    bytes.set(text);
    return push(bytes);
  };
  const calledAs = pushString(stack.calledAs);
  const environmentPointers = environment.toReversed().map(pushString).toReversed();
  const argumentPointers = argv.toReversed().map(pushString).toReversed();
  // Linux leaves up to a page free here, at random (arch_align_stack). All frames are below the mapping's last page so, and checks of their
  // accesses find the page behind, see `MirrorPage.next`.
  at = pageDown(at);
  const platform = pushString(new TextEncoder().encode(abi.basePlatform));
  at -= at % 16;
  const random = push(stack.random.subarray(0, 16));

  const auxiliary: [type: number, value: number][] = [
    [Auxiliary.HardwareCapabilities, abi.hardwareCapabilities],
    [Auxiliary.PageSize, 4096],
    [Auxiliary.ClockTicks, CLOCK_TICKS],
    [Auxiliary.ProgramHeaders, stack.programHeaders],
    [Auxiliary.ProgramHeaderBytes, stack.programHeaderBytes],
    [Auxiliary.ProgramHeaderCount, stack.programHeaderCount],
    [Auxiliary.InterpreterBase, stack.interpreterBase],
    [Auxiliary.Flags, 0],
    [Auxiliary.Entry, stack.entry],
    [Auxiliary.Uid, credentials.uid],
    [Auxiliary.EffectiveUid, credentials.euid],
    [Auxiliary.Gid, credentials.gid],
    [Auxiliary.EffectiveGid, credentials.egid],
    [Auxiliary.Secure, 0],
    [Auxiliary.Random, random],
    [Auxiliary.CalledAs, calledAs],
    [Auxiliary.BasePlatform, platform],
    [Auxiliary.Null, 0],
  ];
  const words = [argv.length, ...argumentPointers, 0, ...environmentPointers, 0, ...auxiliary.flat()];
  const bytes = new Uint8Array(words.length * word);
  const view = new DataView(bytes.buffer);
  const little = abi.byteOrder === 'little';
  words.forEach((value, i) =>
    word === 8 ? view.setBigUint64(8 * i, BigInt(value), little) : view.setUint32(4 * i, value, little),
  );
  at -= bytes.length;
  at -= at % 16;
  memory.write(at, bytes);
  return { stackPointer: at, auxiliaryVector: bytes.slice(bytes.length - auxiliary.length * 2 * word) };
}
