import type { AccessWidth, ByteOrder } from '../core/index.js';
import { EmulatorError, widthMask } from '../core/index.js';
import type { MmioHandler } from '../memory/index.js';

/**
 * How the bus may use bits, in the words of data sheets: read/write, read-only (only the device changes them),
 * write-only (stored, reads as 0), write 1 to clear, read to clear.
 */
export type Access = 'rw' | 'ro' | 'wo' | 'w1c' | 'rc';

/** A bit field: `bits` is one bit number or `[high, low]`, as the data sheet writes it (7:6). */
export interface FieldSpec {
  readonly bits: number | readonly [high: number, low: number];
  readonly access?: Access;
  readonly reset?: number;
}

/** One line of the data sheet's register table. */
export interface RegisterSpec {
  /** Position in the bank before {@link BankOptions.regShift} is applied. */
  readonly offset: number;
  /** Bytes, default 1. */
  readonly width?: AccessWidth;
  /** Default of the fields; `ro` and `wo` registers may share an offset with each other. Default `rw`. */
  readonly access?: Access;
  /** Value after reset, combined with the resets of the fields. Bits that no field declares are constants. */
  readonly reset?: number;
  /** Without fields the whole register is one. */
  readonly fields?: { readonly [name: string]: FieldSpec };
  /**
   * A data port (for example the 16-bit data register of ATA): every access of at least its width that starts at its
   * offset is a series of accesses to it alone, whatever other registers the access covers.
   */
  readonly port?: boolean;
}

export type RegisterLayout = { readonly [register: string]: RegisterSpec };

type FieldNames<S> = S extends { readonly fields: infer F } ? keyof F & string : never;

/** A register whose fields are properties: `reg.LCR.DLAB` reads the stored bits, assigning stores them. */
export type RegisterOf<S extends RegisterSpec> = Register & { [K in FieldNames<S>]: number };
export type Registers<L extends RegisterLayout> = { readonly [K in keyof L]: RegisterOf<L[K]> };

/** What happens beyond storing bits when the bus touches a field. */
export interface FieldBehaviour {
  /** Supplies the field's value for a bus read instead of the stored bits. */
  read?(stored: number): number;
  /** After a bus write that reached the field; `written` is what the bus wrote, whatever the access let through. */
  write?(written: number, previous: number): void;
}

/** What happens beyond storing bits when the bus touches a register. */
export interface RegisterBehaviour<F extends string = string> {
  /**
   * Whether this register answers, for offsets that several registers share (bank bits, sequences, select bits in the
   * written value). `written` is undefined for a read.
   */
  when?(written: number | undefined): boolean;
  /** Supplies the value of a bus read. Side effects of reading belong here; `rc` fields are already clear by then. */
  read?(stored: number): number;
  /** After a bus write; bytes that the access did not cover are taken from the previous value. */
  write?(written: number, previous: number): void;
  readonly fields?: { readonly [K in F]?: FieldBehaviour };
}

export type Behaviours<L extends RegisterLayout> = { readonly [K in keyof L]?: RegisterBehaviour<FieldNames<L[K]>> };

/** How a bank sits on its bus: the one place where odd widths and offsets are decided. */
export interface BankOptions<L extends RegisterLayout = RegisterLayout> {
  /** Registers are `1 << regShift` bytes apart, each in the low-order byte lanes of its cell. Default 0. */
  readonly regShift?: number;
  /** Byte that every undeclared location reads as: 0 (default), or 0xff where the bus floats high. */
  readonly undefinedByte?: number;
  /** Order of the bytes of a wide register, the same as given to `mapMmio`. Default little. */
  readonly byteOrder?: ByteOrder;
  /** Keeps its bits in a reset, because a battery does; the device clears by itself what must be clear. */
  readonly survivesReset?: boolean;
  /** Reset values that differ from the layout's (for example PCI identification numbers). */
  readonly resets?: { readonly [K in keyof L]?: number };
}

export const bit = (position: number, access?: Access, reset = 0): FieldSpec => field(position, access, reset);
export const bits = (high: number, low: number, access?: Access, reset = 0): FieldSpec =>
  field([high, low], access, reset);

function field(position: FieldSpec['bits'], access: Access | undefined, reset: number): FieldSpec {
  return access ? { bits: position, access, reset } : { bits: position, reset };
}

interface FieldPlace {
  readonly name: string;
  readonly shift: number;
  /** Mask in place. */
  readonly mask: number;
  readonly access: Access;
  readonly reset: number;
}

interface FieldHook extends FieldPlace {
  readonly behaviour: FieldBehaviour;
}

function placeFields(name: string, spec: RegisterSpec): FieldPlace[] {
  const declared = Object.entries(spec.fields ?? {});
  const whole = widthMask(spec.width ?? 1);
  if (declared.length === 0) return [{ name, shift: 0, mask: whole, access: spec.access ?? 'rw', reset: 0 }];
  let taken = 0;
  return declared.map(([fieldName, { bits: position, access, reset = 0 }]) => {
    const [high, low] = typeof position === 'number' ? [position, position] : position;
    const mask = ((0xffff_ffff >>> (31 - (high - low))) << low) >>> 0;
    if (high < low || (mask & ~whole) !== 0 || (mask & taken) !== 0 || fieldName in Register.prototype) {
      throw new EmulatorError(
        `register ${name}: field ${fieldName} does not fit, overlaps another or has a reserved name`,
      );
    }
    taken |= mask;
    return { name: fieldName, shift: low, mask, access: access ?? spec.access ?? 'rw', reset };
  });
}

/**
 * A register as its bus sees it: stored bits, masks by access, and the device's behaviour. All are of one shape, whatever their
 * fields: every access to any device comes by here.
 */
class Cell {
  /** The stored bits, unsigned. */
  value: number;
  /** Whether it answers an access, see {@link RegisterBehaviour.when}; undefined for a register that always does. */
  when: RegisterBehaviour['when'] = undefined;
  readonly width: AccessWidth;
  readonly resetValue: number;
  readonly isPort: boolean;
  readonly #widthMask: number;
  readonly #readMask: number;
  readonly #storeMask: number;
  readonly #writeOneClearMask: number;
  readonly #readClearMask: number;
  #readHooks: readonly FieldHook[] = [];
  #writeHooks: readonly FieldHook[] = [];
  #behaviour: RegisterBehaviour = {};

  constructor(
    readonly name: string,
    readonly spec: RegisterSpec,
    /** Bus offset of its first byte. */
    readonly start: number,
    reset: number | undefined,
    private readonly fieldPlaces: readonly FieldPlace[],
  ) {
    const masked = (...kinds: Access[]): number =>
      fieldPlaces.reduce((mask, { access, mask: own }) => (kinds.includes(access) ? mask | own : mask), 0) >>> 0;
    this.width = spec.width ?? 1;
    this.isPort = spec.port ?? false;
    this.#widthMask = widthMask(this.width);
    this.#readMask = (this.#widthMask & ~masked('wo')) >>> 0;
    this.#storeMask = masked('rw', 'wo');
    this.#writeOneClearMask = masked('w1c');
    this.#readClearMask = masked('rc');
    const fieldResets = fieldPlaces.reduce((value, { shift, reset: own }) => value | (own << shift), spec.reset ?? 0);
    this.resetValue = ((reset ?? fieldResets) & this.#widthMask) >>> 0;
    this.value = this.resetValue;
  }

  attach(behaviour: RegisterBehaviour): void {
    const hooks = this.fieldPlaces.flatMap((place) => {
      const own = behaviour.fields?.[place.name];
      return own ? [{ ...place, behaviour: own }] : [];
    });
    this.#behaviour = behaviour;
    this.when = behaviour.when;
    this.#readHooks = hooks.filter((hook) => hook.behaviour.read);
    this.#writeHooks = hooks.filter((hook) => hook.behaviour.write);
  }

  /** A bus read of the byte lanes in `lanes`. The result is register-aligned; other lanes are meaningless. */
  read(lanes: number): number {
    let value = this.value & this.#readMask;
    if (this.#readHooks.length > 0) {
      for (const { behaviour, mask, shift } of this.#readHooks) {
        if ((mask & lanes) === 0) continue;
        const own = behaviour.read?.((this.value & mask) >>> shift) ?? 0;
        value = (value & ~mask) | ((own << shift) & mask);
      }
    }
    if (this.#readClearMask !== 0) this.value = (this.value & ~(this.#readClearMask & lanes)) >>> 0;
    if (this.#behaviour.read) value = this.#behaviour.read(value >>> 0);
    return (value & this.#widthMask) >>> 0;
  }

  /** A bus write of the byte lanes in `lanes`; `value` is register-aligned. */
  write(value: number, lanes: number): void {
    const previous = this.value;
    const store = this.#storeMask & lanes;
    this.value = ((previous & ~store & ~(value & this.#writeOneClearMask & lanes)) | (value & store)) >>> 0;
    for (const { behaviour, mask, shift } of this.#writeHooks) {
      if ((mask & lanes) !== 0) behaviour.write?.((value & mask) >>> shift, (previous & mask) >>> shift);
    }
    this.#behaviour.write?.(((value & lanes) | (previous & ~lanes)) >>> 0, previous);
  }
}

/** A register as its device sees it: the stored bits, and by name those of each field. */
export class Register {
  constructor(protected readonly cell: Cell) {}

  /** The stored bits, unsigned. Setting them from the device side runs no behaviour. */
  get value(): number {
    return this.cell.value;
  }

  set value(value: number) {
    this.cell.value = value;
  }

  /** Bus offset of its first byte. */
  get start(): number {
    return this.cell.start;
  }

  /** Bytes. */
  get width(): AccessWidth {
    return this.cell.width;
  }
}

const registerClasses = new WeakMap<RegisterSpec, { places: FieldPlace[]; construct: typeof Register }>();

/** The class of a layout's register, with one accessor per field; made once, so that all instances share a shape. */
function classOf(name: string, spec: RegisterSpec): { places: FieldPlace[]; construct: typeof Register } {
  const known = registerClasses.get(spec);
  if (known) return known;
  const places = placeFields(name, spec);
  const construct = class extends Register {};
  if (spec.fields) {
    for (const { name: fieldName, mask, shift } of places) {
      Object.defineProperty(construct.prototype, fieldName, {
        get(this: { readonly cell: Cell }) {
          return (this.cell.value & mask) >>> shift;
        },
        set(this: { readonly cell: Cell }, value: number) {
          const { cell } = this;
          cell.value = ((cell.value & ~mask) | ((value << shift) & mask)) >>> 0;
        },
      });
    }
  }
  const made = { places, construct };
  registerClasses.set(spec, made);
  return made;
}

/** Checks a register table when the module loads; the result is the table itself. */
export function registerMap<const L extends RegisterLayout>(layout: L): L {
  for (const [name, spec] of Object.entries(layout)) classOf(name, spec);
  return layout;
}

/** Registers that share bus bytes, in order of declaration. */
type Slot = readonly Cell[];
const EMPTY_LANE: Slot = [];

/**
 * A block of registers on a bus. Any access is answered, by these rules:
 * - an access that covers several registers goes to each of them in ascending order;
 * - an access to a part of a register touches only the covered byte lanes: fields outside keep their value and run no
 *   behaviour;
 * - undeclared locations, and `wo` registers on a read, give {@link BankOptions.undefinedByte} and ignore writes;
 * - lanes of a register's cell above the register (`regShift`) give 0.
 */
export class RegisterBank<L extends RegisterLayout = RegisterLayout> implements MmioHandler {
  readonly reg: Registers<L>;
  /** Bytes that the declared registers span on the bus. */
  readonly sizeBytes: number;
  readonly #cells: readonly Cell[];
  readonly #readers: (Slot | undefined)[];
  readonly #writers: (Slot | undefined)[];
  readonly #undefinedByte: number;
  readonly #bigEndian: boolean;
  readonly #survivesReset: boolean;

  constructor(
    readonly name: string,
    layout: L,
    options: BankOptions<L> = {},
  ) {
    const { regShift = 0, undefinedByte = 0, byteOrder = 'little' } = options;
    this.#undefinedByte = undefinedByte;
    this.#bigEndian = byteOrder === 'big';
    this.#survivesReset = options.survivesReset ?? false;
    const laneBytes = Math.min(1 << regShift, 4);
    const made = Object.entries(layout).map(([registerName, spec]) => {
      const { places, construct } = classOf(registerName, spec);
      const width = spec.width ?? 1;
      const start = (spec.offset << regShift) + (this.#bigEndian ? Math.max(laneBytes - width, 0) : 0);
      const cell = new Cell(registerName, spec, start, options.resets?.[registerName], places);
      return { cell, register: new construct(cell) };
    });
    this.#cells = made.map(({ cell }) => cell);
    this.reg = Object.fromEntries(made.map(({ cell, register }) => [cell.name, register])) as Registers<L>;
    const cellBytes = (register: Cell): number => Math.max(register.width, 1 << regShift);
    const cellStart = (register: Cell): number => register.spec.offset << regShift;
    this.sizeBytes = Math.max(0, ...this.#cells.map((register) => cellStart(register) + cellBytes(register)));

    const table = (registers: readonly Cell[]): (Slot | undefined)[] => {
      const slots: (Cell[] | Slot | undefined)[] = Array.from({ length: this.sizeBytes });
      for (const register of this.#cells) {
        if (regShift > 0) slots.fill(EMPTY_LANE, cellStart(register), cellStart(register) + cellBytes(register));
      }
      for (const register of registers) {
        // A port owns only its first byte: what follows belongs to its neighbours.
        const end = register.start + (register.isPort ? 1 : register.width);
        for (let byte = register.start; byte < end; byte++) slots[byte] = [...(slots[byte] ?? []), register];
      }
      return slots;
    };
    this.#readers = table(this.#cells.filter(({ spec }) => spec.access !== 'wo'));
    this.#writers = table(this.#cells.filter(({ spec }) => spec.access !== 'ro'));
  }

  /** Hangs behaviour on registers; once per register. */
  behave(behaviours: Behaviours<L>): void {
    for (const register of this.#cells) {
      const behaviour: RegisterBehaviour | undefined = behaviours[register.name];
      if (behaviour) register.attach(behaviour);
    }
  }

  read(offset: number, width: AccessWidth): number {
    const register = select(this.#readers[offset], undefined);
    if (register && register.width === width && register.start === offset) return register.read(widthMask(width));
    return register?.isPort && register.width < width
      ? this.#readPort(register, width)
      : this.#readLanes(offset, width);
  }

  write(offset: number, width: AccessWidth, value: number): void {
    const register = select(this.#writers[offset], value);
    if (register && register.width === width && register.start === offset)
      register.write(value >>> 0, widthMask(width));
    else if (register?.isPort && register.width < width) this.#writePort(register, width, value);
    else this.#writeLanes(offset, width, value);
  }

  reset(): void {
    if (this.#survivesReset) return;
    for (const register of this.#cells) register.value = register.resetValue;
  }

  /** Stored bits by register name. */
  save(): { [register: string]: number } {
    return Object.fromEntries(this.#cells.map(({ name, value }) => [name, value]));
  }

  /** @throws EmulatorError when a register is missing */
  restore(values: { readonly [register: string]: unknown }): void {
    for (const register of this.#cells) {
      const value = values[register.name];
      if (typeof value !== 'number')
        throw new EmulatorError(`saved state of bank '${this.name}' lacks register ${register.name}`);
      register.value = (value & widthMask(register.width)) >>> 0;
    }
  }

  #readLanes(offset: number, width: AccessWidth): number {
    let value = 0;
    for (let done = 0; done < width;) {
      const at = offset + done;
      const slot = this.#readers[at];
      const register = select(slot, undefined);
      const lane = register ? at - register.start : 0;
      const count = register ? Math.min(width - done, register.width - lane) : 1;
      let part = slot === EMPTY_LANE ? 0 : this.#undefinedByte;
      if (register) {
        const shift = this.#laneShift(lane, count, register.width);
        part = (register.read((widthMask(count) << shift) >>> 0) >>> shift) & widthMask(count);
      }
      value |= part << this.#laneShift(done, count, width);
      done += count;
    }
    return value >>> 0;
  }

  #writeLanes(offset: number, width: AccessWidth, value: number): void {
    for (let done = 0; done < width;) {
      const at = offset + done;
      const slot = this.#writers[at];
      // A shared offset is decided by the byte that the access writes there.
      const byte = (value >>> this.#laneShift(done, 1, width)) & 0xff;
      const register = select(slot, byte);
      const lane = register ? at - register.start : 0;
      const count = register ? Math.min(width - done, register.width - lane) : 1;
      if (register) {
        const shift = this.#laneShift(lane, count, register.width);
        const part = (value >>> this.#laneShift(done, count, width)) & widthMask(count);
        register.write((part << shift) >>> 0, (widthMask(count) << shift) >>> 0);
      }
      done += count;
    }
  }

  #readPort(register: Cell, width: AccessWidth): number {
    let value = 0;
    for (let done = 0; done < width; done += register.width) {
      value |= register.read(widthMask(register.width)) << this.#laneShift(done, register.width, width);
    }
    return value >>> 0;
  }

  #writePort(register: Cell, width: AccessWidth, value: number): void {
    const mask = widthMask(register.width);
    for (let done = 0; done < width; done += register.width) {
      register.write(((value >>> this.#laneShift(done, register.width, width)) & mask) >>> 0, mask);
    }
  }

  /** Bit position of `count` bytes that start `index` bytes into something `width` bytes wide. */
  #laneShift(index: number, count: number, width: number): number {
    return 8 * (this.#bigEndian ? width - index - count : index);
  }
}

function select(slot: Slot | undefined, written: number | undefined): Cell | undefined {
  if (slot === undefined) return undefined;
  for (const register of slot) if (register.when === undefined || register.when(written)) return register;
  return undefined;
}
