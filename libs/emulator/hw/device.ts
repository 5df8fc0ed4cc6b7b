import type { ComponentState, Persistent, Scheduler, StateValue } from '../core/index.js';
import { EmulatorError, Line, Timer } from '../core/index.js';
import type { BankOptions, RegisterLayout } from './registers.js';
import { RegisterBank } from './registers.js';

/** What every device gets from its board. */
export interface DeviceContext {
  readonly scheduler: Scheduler;
  /** Name on the board, for example `uart0`. */
  readonly name: string;
}

/** A device's part of its node in a flattened device tree; the board adds `reg`, `interrupts` and the unit address. */
export interface DeviceTreeNode {
  readonly compatible: readonly string[];
  readonly properties?: { readonly [name: string]: string | true | readonly number[] };
}

/** What the framework gives every device beside its own members. */
export interface Device extends Persistent {
  readonly type: string;
  readonly title: string;
  readonly name: string;
  readonly banks: readonly RegisterBank[];
  readonly lines: readonly Line[];
  readonly deviceTree: DeviceTreeNode | undefined;
  /** Hardware reset: registers and state to their reset values, timers off, lines low, then the device's own rule. */
  reset(): void;
}

/** A field of a device's own state. Numbers are finite; byte arrays keep their length. */
export type StateField = number | boolean | string | Uint8Array | number[];
export type StateFields = { [name: string]: StateField };

/** The live object of declared state: `{ busy: false, level: 3 }` declares a boolean and a number, not literal types. */
export type LiveState<S extends StateFields> = {
  [K in keyof S]: S[K] extends boolean ? boolean : S[K] extends number ? number : S[K];
};

export interface StateOptions {
  /** Gathers the fields under a name, for parts that a device has several of (`counter0`). */
  readonly group?: string;
  /** Keeps the values in a reset: battery-backed memory, levels of input pins. */
  readonly survivesReset?: boolean;
}

/** Collects a device's parts while it is created. */
export interface DeviceBuilder {
  readonly name: string;
  readonly scheduler: Scheduler;
  /** Declares a bank of registers from its table. Its stored bits are saved, restored and reset by the framework. */
  registers<const L extends RegisterLayout>(name: string, layout: L, options?: BankOptions<L>): RegisterBank<L>;
  /** Declares an output wire, low after reset. */
  line(name: string): Line;
  /** Declares an alarm; its deadline is saved with the device. */
  timer(name: string, onExpire: (deadlineNs: number) => void): Timer;
  /** Declares state beyond register bits: named fields with their reset values. The device works on the result. */
  state<S extends StateFields>(fields: S, options?: StateOptions): LiveState<S>;
  /** Runs after the framework's part of a reset. */
  onReset(action: () => void): void;
  /** Runs after a restore, to derive what is not saved. */
  onRestore(action: () => void): void;
}

export interface DeviceDefinition<P, D extends object> {
  /** Part name in lower case, which is also the type of its saved state. */
  readonly type: string;
  /** The part in a person's words. */
  readonly title: string;
  /** Version of the saved state; raised whenever a register or field is added or changes its meaning. */
  readonly stateVersion: number;
  readonly deviceTree?: (properties: P) => DeviceTreeNode;
  /** Declares the parts, hangs behaviour on them, and returns what the board connects. */
  create(device: DeviceBuilder, properties: P): D;
}

/** Makes devices of one type: `const uart0 = ns16550({ scheduler, name: 'uart0' }, { console })`. */
export interface DeviceFactory<P, D extends object> {
  (context: DeviceContext, properties: P): D & Device;
  readonly type: string;
  readonly title: string;
}

/**
 * Defines a device type. The framework owns what all devices have in common: register decoding, reset, saved state,
 * timers and lines; the definition says what this part does. A device is in its reset state when it is created.
 */
export function defineDevice<P, D extends object>(definition: DeviceDefinition<P, D>): DeviceFactory<P, D> {
  const { type, title } = definition;
  const factory = (context: DeviceContext, properties: P): D & Device => {
    const frame = new DeviceFrame(definition, context, definition.deviceTree?.(properties));
    const own = definition.create(frame, properties);
    frame.reset();
    // The device's own members and the frame's methods on one object; methods are bound, so they may be handed around.
    return Object.assign(own, {
      type,
      title,
      name: context.name,
      banks: frame.banks,
      lines: frame.lines,
      deviceTree: frame.deviceTree,
      reset: () => frame.reset(),
      saveState: () => frame.saveState(),
      restoreState: (state: ComponentState) => frame.restoreState(state),
    });
  };
  return Object.assign(factory, { type, title });
}

interface StateGroup {
  readonly name: string | undefined;
  readonly live: StateFields;
  readonly initial: StateFields;
  readonly survivesReset: boolean;
}

class DeviceFrame implements DeviceBuilder, Persistent {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly banks: RegisterBank[] = [];
  readonly lines: Line[] = [];
  readonly #timers: Timer[] = [];
  readonly #groups: StateGroup[] = [];
  readonly #resetActions: (() => void)[] = [];
  readonly #restoreActions: (() => void)[] = [];

  constructor(
    private readonly definition: { readonly type: string; readonly stateVersion: number },
    context: DeviceContext,
    readonly deviceTree: DeviceTreeNode | undefined,
  ) {
    this.name = context.name;
    this.scheduler = context.scheduler;
  }

  registers<const L extends RegisterLayout>(name: string, layout: L, options?: BankOptions<L>): RegisterBank<L> {
    this.#claim('bank', name, this.banks);
    const bank = new RegisterBank(name, layout, options);
    this.banks.push(bank); // the list is used through what all layouts share
    return bank;
  }

  line(name: string): Line {
    this.#claim('line', name, this.lines);
    const line = new Line(`${this.name}.${name}`);
    this.lines.push(line);
    return line;
  }

  timer(name: string, onExpire: (deadlineNs: number) => void): Timer {
    this.#claim('timer', name, this.#timers);
    const timer = new Timer(this.scheduler, `${this.name}.${name}`, onExpire);
    this.#timers.push(timer);
    return timer;
  }

  state<S extends StateFields>(fields: S, { group: name, survivesReset = false }: StateOptions = {}): LiveState<S> {
    for (const field of Object.keys(fields)) {
      if (this.#groups.some((other) => other.name === name && field in other.live)) {
        throw new EmulatorError(`${this.name}: state '${field}' is declared twice`);
      }
    }
    const live = copyFields(fields);
    this.#groups.push({ name, live, initial: fields, survivesReset });
    return live as LiveState<S>;
  }

  onReset(action: () => void): void {
    this.#resetActions.push(action);
  }

  onRestore(action: () => void): void {
    this.#restoreActions.push(action);
  }

  reset(): void {
    for (const bank of this.banks) bank.reset();
    for (const { live, initial, survivesReset } of this.#groups) if (!survivesReset) resetFields(live, initial);
    for (const timer of this.#timers) timer.disarm();
    for (const line of this.lines) line.set(false);
    for (const action of this.#resetActions) action();
  }

  saveState(): ComponentState {
    const { type, stateVersion } = this.definition;
    const fields: { [name: string]: StateValue } = {
      registers: Object.fromEntries(this.banks.map((bank) => [bank.name, bank.save()])),
      timers: Object.fromEntries(
        this.#timers.map(({ name, armed, deadlineNs }) => [this.#local(name), armed ? deadlineNs : null]),
      ),
      lines: Object.fromEntries(this.lines.map(({ name, level }) => [this.#local(name), level])),
      state: this.#saveGroups(),
    };
    return { type, version: stateVersion, fields };
  }

  restoreState(saved: ComponentState): void {
    const { type, stateVersion } = this.definition;
    if (saved.type !== type || saved.version !== stateVersion) {
      throw new EmulatorError(
        `${this.name}: a state of ${saved.type} v${saved.version} does not fit ${type} v${stateVersion}`,
      );
    }
    for (const bank of this.banks) bank.restore(group(group(saved.fields, 'registers'), bank.name));
    const state = group(saved.fields, 'state');
    for (const { name, live } of this.#groups) {
      const fields = name === undefined ? state : group(state, name);
      for (const field of Object.keys(live)) restoreField(live, field, fields[field]);
    }
    const deadlines = group(saved.fields, 'timers');
    for (const timer of this.#timers) {
      const deadline = deadlines[this.#local(timer.name)];
      if (typeof deadline === 'number') timer.arm(deadline);
      else timer.disarm();
    }
    for (const action of this.#restoreActions) action();
    // Lines last: listeners may look at the device. A controller keeps its input levels, so it sees no false edge.
    const levels = group(saved.fields, 'lines');
    for (const line of this.lines) line.set(levels[this.#local(line.name)] === true);
  }

  #saveGroups(): { [name: string]: StateValue } {
    const saved: { [name: string]: StateValue } = {};
    for (const { name, live } of this.#groups) {
      const fields = copyFields(live);
      if (name === undefined) Object.assign(saved, fields);
      else saved[name] = { ...(saved[name] as { [field: string]: StateValue } | undefined), ...fields };
    }
    return saved;
  }

  #local(qualified: string): string {
    return qualified.slice(this.name.length + 1);
  }

  #claim(kind: string, name: string, existing: readonly { readonly name: string }[]): void {
    if (existing.some((other) => other.name === name || other.name === `${this.name}.${name}`)) {
      throw new EmulatorError(`${this.name}: ${kind} '${name}' is declared twice`);
    }
  }
}

function copyFields(fields: StateFields): StateFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'object' ? value.slice() : value]),
  );
}

/** Byte arrays are reset in place, because devices hold on to them. */
function resetFields(live: StateFields, initial: StateFields): void {
  for (const [name, value] of Object.entries(copyFields(initial))) {
    const current = live[name];
    if (current instanceof Uint8Array && value instanceof Uint8Array) current.set(value);
    else live[name] = value;
  }
}

function group(fields: { readonly [key: string]: StateValue }, name: string): { readonly [key: string]: StateValue } {
  const value = fields[name];
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new EmulatorError(`saved state lacks the group '${name}'`);
  }
  return value as { readonly [key: string]: StateValue };
}

function restoreField(live: StateFields, name: string, saved: StateValue | undefined): void {
  const current = live[name];
  if (current instanceof Uint8Array && saved instanceof Uint8Array && saved.length === current.length)
    current.set(saved);
  else if (Array.isArray(current) && Array.isArray(saved)) live[name] = saved.map(Number);
  else if (typeof current !== 'object' && typeof saved === typeof current) live[name] = saved as StateField;
  else throw new EmulatorError(`saved state field '${name}' is missing or of another shape`);
}
