import type { BlockBackend, ByteOrder, ConsolePort, LineSink } from '../core/index.js';
import { hex, InputQueue, Scheduler } from '../core/index.js';
import type { Device, DeviceFactory } from '../hw/index.js';
import type { MmioHandler, RamBlock } from '../memory/index.js';
import { AddressSpace, LinearMemory } from '../memory/index.js';
import type { LoadedConfig } from './images.js';
import { loadImages } from './images.js';
import { InputConsole } from './input-console.js';
import type {
  BoardCpu,
  BoardHost,
  BoardInfo,
  BuiltBoard,
  ConsoleInfo,
  CpuEntry,
  DeviceInfo,
  MachineConfig,
  PowerEvent,
} from './types.js';
import { WiredOr } from '../hw/wired-or.js';

/**
 * A board is one declaration: parts with their places and wires, RAM, CPU models. Buses, catalogue entry, documentation
 * and machine all come from it. Parts are made when somebody first asks for them, so their order does not matter.
 */
export interface BoardDefinition {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly arch: 'mips';
  readonly byteOrders: readonly ByteOrder[];
  readonly cpus: readonly { readonly id: string; readonly description: string }[];
  readonly defaultCpu: string;
  readonly clock: {
    /** How many instructions the CPU executes in a virtual second: the performance parameter of the board. */
    readonly instructionsPerSecond: number;
    /** Rate of CP0 Count. */
    readonly countHz: number;
    /** How long the CPU waits for a device register. */
    readonly deviceAccessNs: number;
  };
  readonly memory: {
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly defaultBytes: number;
    /** Sizes are multiples of this. */
    readonly stepBytes: number;
    /** Where RAM shows up on the CPU's bus, and for bus masters. */
    readonly map: readonly RamPlace[];
  };
  readonly consoles: readonly ConsoleInfo[];
  readonly driveSlots: readonly string[];
  readonly defaultCmdline: string;
  /** How images are started, for people. */
  readonly boot: string;
  readonly parts: readonly Part<object>[];
  /** Linear memory that parts allocate beside RAM (flash, frame buffers). */
  readonly partMemoryBytes: number;
  /** Checks images against the board before anything is built. @throws ConfigError */
  validateImages(config: LoadedConfig): void;
  byteOrderOf(config: LoadedConfig): ByteOrder;
  /** Loads images into the reset machine. @returns where to start, or undefined to start at the reset vector */
  load(board: BoardBuild, config: LoadedConfig): CpuEntry | undefined;
  /** Built-in firmware that checks the board, by byte order. */
  selfTest(byteOrder: ByteOrder): Uint8Array;
}

export interface RamPlace {
  readonly at: number;
  /** Bytes shown there; RAM is shown from its start. */
  readonly limitBytes: number;
}

/** Something on the board, made once per machine: a device, a bus, a chip without registers. */
export interface Part<T extends object> {
  readonly name: string;
  readonly info: DeviceInfo | undefined;
  create(board: BoardBuild): T;
  /** Its interrupt and other inputs that wires may end at. */
  input?(board: BoardBuild, pin: number): LineSink;
  /** Puts it in its places and connects the wires that leave it; called when everything exists. */
  connect?(board: BoardBuild): void;
}

/** Where on which bus a block of registers appears. */
export interface Place<D> {
  readonly bus: BusReference;
  readonly at: number;
  readonly bytes: number;
  readonly handler: (device: D) => MmioHandler;
  /** Default little. `cpu`: the registers follow the CPU's byte order. */
  readonly byteOrder?: 'cpu';
  readonly priority?: number;
}

export interface BusReference {
  readonly name: string;
  of(board: BoardBuild): AddressSpace;
}

/** The CPU's own bus. */
export const cpuBus: BusReference = { name: 'CPU', of: (board) => board.bus };

/** The end of a wire. */
export interface Pin {
  /** `cpu`, or the name of a part with inputs. */
  readonly part: string;
  readonly pin: number;
  /** What people call it, for example `IRQ 4`. */
  readonly label: string;
}

export interface DeviceDeclaration<P, D extends object> {
  readonly description: string;
  readonly properties: (board: BoardBuild) => NoInfer<P>;
  readonly map?: readonly Place<D>[];
  /** Output lines by name, and where they go. */
  readonly lines?: { readonly [line: string]: Pin };
  readonly input?: (device: D, pin: number) => LineSink;
  /** Where it is, for devices that software places. */
  readonly address?: string;
}

/** One line of a board's parts list: a device of `factory`'s type. */
export function device<P, D extends object>(
  name: string,
  factory: DeviceFactory<P, D>,
  declaration: DeviceDeclaration<P, D & Device>,
): Part<D & Device> {
  const { description, properties, map = [], lines = {}, input, address } = declaration;
  const places = map.map(({ bus, at, bytes }) => `${bus.name} ${range(at, bytes, bus.name === 'CPU' ? 8 : 4)}`);
  const irqs = Object.values(lines).map(({ label }) => label);
  const info: DeviceInfo = { name, type: factory.type, description };
  if (address ?? places.length > 0) info.address = address ?? places.join(', ');
  if (irqs.length > 0) info.irq = irqs.join(', ');
  const part: Part<D & Device> = {
    name,
    info,
    ...(input && { input: (board: BoardBuild, pin: number) => input(board.of(part), pin) }),
    create: (board) => factory({ scheduler: board.scheduler, name }, properties(board)),
    connect: (board) => {
      const instance = board.of(part);
      for (const { bus, at, bytes, handler, byteOrder, priority } of map) {
        bus.of(board).mapMmio(name, at, bytes, handler(instance), byteOrder ? board.byteOrder : 'little', priority);
      }
      for (const [line, pin] of Object.entries(lines)) {
        const output = instance.lines.find((candidate) => candidate.name === `${name}.${line}`);
        if (!output) throw new RangeError(`${name} has no line '${line}'`);
        output.connect(board.wireTo(pin));
      }
    },
  };
  return part;
}

/** First and last address, `0x3f8-0x3ff`; one port is a single address. */
function range(at: number, bytes: number, digits: number): string {
  return bytes === 1 ? hex(at, digits) : `${hex(at, digits)}-${hex(at + bytes - 1, digits)}`;
}

/** A part that is not a device: a bus, a group of passive chips. */
export function fixture<T extends object>(name: string, create: (board: BoardBuild) => T): Part<T> {
  return { name, info: undefined, create };
}

/** A machine under construction, as its parts see it. */
export interface BoardBuild {
  readonly config: MachineConfig;
  readonly byteOrder: ByteOrder;
  readonly memoryBytes: number;
  readonly scheduler: Scheduler;
  readonly bus: AddressSpace;
  /** What bus masters see. */
  readonly dma: AddressSpace;
  readonly ram: RamBlock;
  /** The instance of a part on this machine. */
  of<T extends object>(part: Part<T>): T;
  console(name: string): ConsolePort;
  drive(slot: string): BlockBackend | undefined;
  /** Memory that is read directly but is not RAM (flash). */
  allocate(name: string, bytes: number): RamBlock;
  /** Another source on the wire to a pin; a wire is high while any of its sources is. */
  wireTo(pin: Pin): LineSink;
  power(event: PowerEvent): void;
}

export function boardInfo(board: BoardDefinition): BoardInfo {
  const { minBytes, maxBytes, defaultBytes } = board.memory;
  return {
    id: board.id,
    name: board.name,
    description: board.description,
    arch: board.arch,
    byteOrders: [...board.byteOrders],
    cpus: board.cpus.map((cpu) => ({ ...cpu })),
    defaultCpu: board.defaultCpu,
    memory: { minBytes, maxBytes, defaultBytes },
    consoles: board.consoles.map((console) => ({ ...console })),
    devices: [ramInfo(board), ...board.parts.flatMap(({ info }) => (info ? [{ ...info }] : []))],
    drives: board.driveSlots.length,
    defaultCmdline: board.defaultCmdline,
    boot: board.boot,
    instructionsPerSecond: board.clock.instructionsPerSecond,
    selfTest: true,
  };
}

function ramInfo({ memory: { map } }: BoardDefinition): DeviceInfo {
  const places = map.map(({ at, limitBytes }) => range(at, limitBytes, 8));
  return { name: 'ram', type: 'ram', description: 'main memory', address: `CPU ${places.join(', ')}` };
}

/**
 * Builds a machine from a valid configuration. The CPU stands at its first instruction.
 * @param loaded the same configuration with its images, which a reset loads anew
 */
export async function assembleBoard<C extends BoardCpu>(
  definition: BoardDefinition,
  config: MachineConfig,
  loaded: LoadedConfig,
  host: BoardHost<C>,
): Promise<BuiltBoard<C>> {
  const memoryBytes = config.memoryBytes ?? definition.memory.defaultBytes;
  const byteOrder = definition.byteOrderOf(loaded);
  const memory = new LinearMemory(
    LinearMemory.ramFootprint(memoryBytes) + definition.partMemoryBytes + host.cpuLinearBytes,
  );
  const scheduler = new Scheduler();
  const input = new InputQueue(scheduler);
  const bus = new AddressSpace('cpu');
  const dma = new AddressSpace('dma');
  const ram = memory.allocateRam('ram', memoryBytes);
  for (const { at, limitBytes } of definition.memory.map) {
    for (const space of [bus, dma]) space.mapRam('ram', at, ram, 0, Math.min(memoryBytes, limitBytes));
  }
  const cpuModel = config.cpu ?? definition.defaultCpu;
  const nsPerInstruction = 1e9 / definition.clock.instructionsPerSecond;
  const { countHz, deviceAccessNs } = definition.clock;
  const cpu = await host.createCpu({
    model: cpuModel,
    byteOrder,
    bus,
    memory,
    scheduler,
    nsPerInstruction,
    countHz,
    deviceAccessNs,
  });

  const consoles = new Map(
    definition.consoles.map(({ name }) => [name, new InputConsole(name, input, (byte) => host.onTransmit(name, byte))]),
  );
  const instances = new Map<Part<object>, object>();
  const wires = new Map<string, WiredOr>();
  const instanceOf = (part: Part<object>): object => {
    const known = instances.get(part);
    if (known) return known;
    const made = part.create(build);
    instances.set(part, made);
    return made;
  };
  const sinkOf = ({ part: name, pin }: Pin): LineSink => {
    if (name === 'cpu') return (level) => cpu.setIrqLine(pin, level);
    const part = definition.parts.find((candidate) => candidate.name === name);
    if (!part?.input) throw new RangeError(`board '${definition.id}' has no part '${name}' with inputs`);
    return part.input(build, pin);
  };
  const build: BoardBuild = {
    config,
    byteOrder,
    memoryBytes,
    scheduler,
    bus,
    dma,
    ram,
    // The map's value was made by this very part.
    of: <T extends object>(part: Part<T>): T => instanceOf(part) as T,
    console: (name) => {
      const port = consoles.get(name);
      if (!port) throw new RangeError(`board '${definition.id}' has no console '${name}'`);
      return port;
    },
    drive: (slot) => config.drives?.[definition.driveSlots.indexOf(slot)],
    allocate: (name, bytes) => memory.allocateRam(name, bytes),
    wireTo: (pin) => {
      const key = `${pin.part}.${pin.pin}`;
      const wire = wires.get(key) ?? new WiredOr(sinkOf(pin));
      wires.set(key, wire);
      return wire.input();
    },
    power: (event) => host.onPower(event),
  };
  for (const part of definition.parts) instanceOf(part);
  for (const part of definition.parts) part.connect?.(build);

  const start = (images: LoadedConfig): void => {
    cpu.reset();
    const entry = definition.load(build, images);
    if (entry) cpu.boot(entry);
  };
  start(loaded);
  return {
    info: boardInfo(definition),
    cpuModel,
    byteOrder,
    scheduler,
    input,
    memory,
    bus,
    ram,
    cpu,
    consoles: definition.consoles,
    nsPerInstruction,
    reset: () => {
      for (const instance of instances.values()) if (isDevice(instance)) instance.reset();
      start(loadImages(config));
    },
  };
}

function isDevice(instance: object): instance is Device {
  return 'reset' in instance && 'saveState' in instance;
}
