import type { Emit } from '../wasm/lowering.js';

/** Accesses off a local that are checked together. */
export interface CheckedRange {
  readonly local: number;
  /** Distances of the first and the last byte that must be looked at, not further apart than `MAX_SPAN`. */
  readonly low: number;
  readonly high: number;
  /** Some of the accesses are stores; what may be written may be read. */
  readonly write: boolean;
  /** What the first byte's address must be a multiple of. */
  readonly alignment: number;
}

/** How code leaves that is checked. */
export interface CheckExits {
  /** Says which instruction is meant by {@link leaveIf}. @param strays leaves, as i32, whether it goes outside of the window */
  noteInstruction(strays: Emit): void;
  /** Takes a condition from the stack and leaves the instruction in hand to the interpreter if it holds. */
  leaveIf(): void;
  /** What is emitted between these two is not always executed. */
  enterArm(): void;
  leaveArm(): void;
}

/** Emits checks whether a direct window holds what accesses go to. */
export interface WindowChecks {
  /** Leaves the instruction in hand to the interpreter unless the window holds all ranges. */
  leaveUnlessHeld(ranges: readonly CheckedRange[], exits: CheckExits): void;
  /** Leaves, as i32, whether it does. */
  areHeld(ranges: readonly CheckedRange[]): void;
  /** Leaves, as i32, whether ranges that it does not hold are outside of it; stores may also be the first to their page, or to code. */
  doStray(ranges: readonly CheckedRange[]): void;
  /** Leaves the linear-memory address of what it holds at a distance from a local, but for {@link Place.offset}. */
  placeOf(local: number, distance: number): Place;
}

/** Where held memory is found. */
export interface Place {
  readonly at: Emit;
  /** A constant to add. */
  readonly offset: number;
}
