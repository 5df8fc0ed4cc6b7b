import type { BlockBackend } from '../../core/index.js';
import type { DeviceBuilder } from '../device.js';
import { bit, bits, registerMap } from '../registers.js';
import { defaultGeometry, identifyData, MAX_MULTIPLE, SECTOR_BYTES } from './ata-identify.js';

/**
 * An ATA channel with up to two disks: the task file, the commands of a disk, PIO data transfers. DMA transfers are
 * carried out by the controller, which asks the channel for its side.
 * Source: T13/1410D, AT Attachment with Packet Interface - 6: sections 7 (registers), 8 (commands), 9 (protocols).
 */
export interface AtaChannelProperties {
  readonly name: string;
  readonly drives: readonly [BlockBackend | undefined, BlockBackend | undefined];
  /** Level of INTRQ towards the controller. */
  readonly onInterrupt: (level: boolean) => void;
  /** The drive is ready to move data by DMA. */
  readonly onDmaRequest: () => void;
}

/** The drive's side of a DMA transfer. */
export interface DmaTransfer {
  readonly direction: 'to-memory' | 'from-memory';
  /** Bytes that still have to be moved. */
  readonly remaining: number;
  /** Moves the next bytes. @returns false when the medium failed; the command has ended with an error */
  move(bytes: Uint8Array): boolean;
}

const COMMAND_BLOCK = registerMap({
  DATA: { offset: 0, width: 2, port: true },
  ERROR: { offset: 1, access: 'ro' },
  FEATURES: { offset: 1, access: 'wo' },
  COUNT: { offset: 2 },
  LBA_LOW: { offset: 3 },
  LBA_MID: { offset: 4 },
  LBA_HIGH: { offset: 5 },
  DEVICE: { offset: 6, fields: { HEAD: bits(3, 0), DEV: bit(4), OBSOLETE5: bit(5), LBA: bit(6), OBSOLETE7: bit(7) } },
  STATUS: { offset: 7, access: 'ro' },
  COMMAND: { offset: 7, access: 'wo' },
});
const CONTROL_BLOCK = registerMap({
  ALTERNATE_STATUS: { offset: 0, access: 'ro' },
  CONTROL: { offset: 0, access: 'wo', fields: { NIEN: bit(1), SRST: bit(2), HOB: bit(7) } },
});

const Status = { Busy: 0x80, Ready: 0x40, Fault: 0x20, SeekComplete: 0x10, DataRequest: 0x08, Error: 0x01 } as const;
const READY = Status.Ready | Status.SeekComplete;
const AtaError = { Uncorrectable: 0x40, IdNotFound: 0x10, Abort: 0x04 } as const;
/** Nobody drives the data lines; DD7 is pulled down by the host (ATA-6, table A.1). */
const NO_DEVICE = 0x7f;
/** Time that a drive takes for a command and for each sector. */
const COMMAND_NS = 20_000;
const SECTOR_NS = 5_000;
const LBA28_LIMIT = 2 ** 28;

type Direction = 'in' | 'out';
interface ReadWrite {
  readonly direction: Direction;
  readonly wide: boolean;
  readonly mode: 'pio' | 'multiple' | 'dma' | 'verify';
}
const rw = (direction: Direction, mode: ReadWrite['mode'], wide = false): ReadWrite => ({ direction, mode, wide });
const READ_WRITE: Readonly<Record<number, ReadWrite>> = {
  0x20: rw('in', 'pio'),
  0x21: rw('in', 'pio'),
  0x24: rw('in', 'pio', true),
  0x30: rw('out', 'pio'),
  0x31: rw('out', 'pio'),
  0x34: rw('out', 'pio', true),
  0x40: rw('in', 'verify'),
  0x41: rw('in', 'verify'),
  0x42: rw('in', 'verify', true),
  0xc4: rw('in', 'multiple'),
  0x29: rw('in', 'multiple', true),
  0xc5: rw('out', 'multiple'),
  0x39: rw('out', 'multiple', true),
  0xc8: rw('in', 'dma'),
  0xc9: rw('in', 'dma'),
  0x25: rw('in', 'dma', true),
  0xca: rw('out', 'dma'),
  0xcb: rw('out', 'dma'),
  0x35: rw('out', 'dma', true),
};

/** What the drive does when its timer runs out. */
type Step = 'none' | 'complete' | 'read-block' | 'request-data' | 'write-block' | 'request-dma' | 'reset';

export function createAtaChannel(device: DeviceBuilder, properties: AtaChannelProperties) {
  const { name, drives, onInterrupt, onDmaRequest } = properties;
  const command = device.registers(`${name}-command`, COMMAND_BLOCK);
  const control = device.registers(`${name}-control`, CONTROL_BLOCK);
  const { reg } = command;

  /** The bytes that a second write pushed out of the task file, for 48-bit commands. */
  const key = (field: string): string => `${name}-${field}`;
  const state = device.state({
    [key('previous')]: new Uint8Array(4),
    [key('status')]: new Uint8Array([READY, READY]),
    [key('error')]: new Uint8Array([1, 1]),
    [key('interrupt')]: new Uint8Array(2),
    [key('multiple')]: new Uint8Array(2),
    [key('modes')]: new Uint8Array(4),
    [key('heads')]: new Uint8Array([16, 16]),
    [key('spt')]: new Uint8Array([63, 63]),
    [key('cache')]: new Uint8Array([1, 1]),
    [key('buffer')]: new Uint8Array(MAX_MULTIPLE * SECTOR_BYTES),
  }) as { readonly [name: string]: Uint8Array }; // every field above is one
  const array = (field: string): Uint8Array => state[key(field)] as Uint8Array;
  const [previous, status, error, interrupt] = [array('previous'), array('status'), array('error'), array('interrupt')];
  const [multiple, modes, heads, spt, cache, buffer] = [
    array('multiple'),
    array('modes'),
    array('heads'),
    array('spt'),
    array('cache'),
    array('buffer'),
  ];
  /** The command in progress; `position` and `filled` are bytes in the buffer, `blockSectors` sectors per DRQ. */
  const transfer = device.state({
    [key('step')]: 'none',
    [key('lba')]: 0,
    [key('sectors')]: 0,
    [key('block')]: 1,
    [key('position')]: 0,
    [key('filled')]: 0,
    [key('direction')]: 'none',
    [key('dma')]: false,
    [key('moved')]: 0,
    [key('medium')]: true,
  });
  const get = (field: string): number => transfer[key(field)] as number;
  const set = (field: string, value: number | string | boolean): void => {
    transfer[key(field)] = value;
  };

  const selected = (): 0 | 1 => (reg.DEVICE.DEV ? 1 : 0);
  const drive = (): BlockBackend | undefined => drives[selected()];
  const anyDrive = drives.some((candidate) => candidate !== undefined);
  const sectorsOf = (backend: BlockBackend): number => Math.floor(backend.sizeBytes / SECTOR_BYTES);

  const updateInterrupt = (): void => {
    onInterrupt(drive() !== undefined && interrupt[selected()] === 1 && !control.reg.CONTROL.NIEN);
  };
  const raise = (): void => {
    interrupt[selected()] = 1;
    updateInterrupt();
  };
  const setStatus = (value: number): void => {
    status[selected()] = value;
  };
  const timer = device.timer(`${name}-drive`, () => runStep());
  const later = (step: Step, delayNs: number): void => {
    set('step', step);
    timer.arm(device.scheduler.nowNs + delayNs);
  };
  const busy = (step: Step, sectors: number): void => {
    setStatus(Status.Busy);
    later(step, COMMAND_NS + sectors * SECTOR_NS);
  };

  const complete = (): void => {
    endTransfer();
    setStatus(READY);
    raise();
  };
  const fail = (bits: number): void => {
    endTransfer();
    error[selected()] = bits;
    setStatus(READY | Status.Error);
    raise();
  };
  const endTransfer = (): void => {
    set('step', 'none');
    set('direction', 'none');
    set('sectors', 0);
    set('dma', false);
    set('position', 0);
    set('filled', 0);
    timer.disarm();
  };

  function runStep(): void {
    const step = transfer[key('step')] as Step;
    set('step', 'none');
    switch (step) {
      case 'complete':
        return complete();
      case 'read-block':
        return readBlock();
      case 'request-data':
        return setStatus(READY | Status.DataRequest);
      case 'write-block':
        return writeBlock();
      case 'request-dma':
        setStatus(READY | Status.DataRequest);
        return onDmaRequest();
      case 'reset':
        return signature();
      default:
        return undefined;
    }
  }

  /** Fills the buffer with the next sectors and hands it to the host. */
  function readBlock(): void {
    const backend = drive();
    if (!backend) return endTransfer();
    const count = Math.min(get('block'), get('sectors'));
    if (
      transfer[key('medium')] &&
      !access(() => backend.read(get('lba') * SECTOR_BYTES, buffer.subarray(0, count * SECTOR_BYTES)))
    ) {
      return fail(AtaError.Uncorrectable);
    }
    advance(count);
    set('position', 0);
    set('filled', count * SECTOR_BYTES);
    setStatus(READY | Status.DataRequest);
    raise();
  }

  /** Takes a full buffer from the host to the medium. */
  function writeBlock(): void {
    const backend = drive();
    if (!backend) return endTransfer();
    const length = get('filled');
    if (backend.readOnly || !access(() => backend.write(get('lba') * SECTOR_BYTES, buffer.subarray(0, length))))
      return fail(AtaError.Abort);
    advance(length / SECTOR_BYTES);
    if (get('sectors') === 0) return complete();
    openBuffer();
    setStatus(READY | Status.DataRequest);
    raise();
  }
  function openBuffer(): void {
    set('position', 0);
    set('filled', Math.min(get('block'), get('sectors')) * SECTOR_BYTES);
  }
  function advance(sectors: number): void {
    set('lba', get('lba') + sectors);
    set('sectors', get('sectors') - sectors);
  }
  /** The backend's failures are the medium's: the guest hears of them as an error of its drive. */
  function access(action: () => void): boolean {
    try {
      action();
      return true;
    } catch {
      return false;
    }
  }

  function readData(): number {
    const waiting = (status[selected()] ?? 0) & Status.DataRequest;
    if (!waiting || transfer[key('direction')] !== 'in' || transfer[key('dma')]) return 0xffff;
    const position = get('position');
    if (position >= get('filled')) return 0xffff;
    const value = (buffer[position] ?? 0) | ((buffer[position + 1] ?? 0) << 8);
    set('position', position + 2);
    if (position + 2 >= get('filled')) {
      if (get('sectors') > 0) busy('read-block', Math.min(get('block'), get('sectors')));
      else {
        endTransfer();
        setStatus(READY);
      }
    }
    return value;
  }
  function writeData(value: number): void {
    const waiting = (status[selected()] ?? 0) & Status.DataRequest;
    if (!waiting || transfer[key('direction')] !== 'out' || transfer[key('dma')]) return;
    const position = get('position');
    if (position >= get('filled')) return;
    buffer[position] = value & 0xff;
    buffer[position + 1] = value >>> 8;
    set('position', position + 2);
    if (position + 2 >= get('filled')) busy('write-block', get('filled') / SECTOR_BYTES);
  }

  /** Where a command begins and how far it goes. */
  function addressed(wide: boolean): { lba: number; count: number } {
    const [count = 0, low = 0, mid = 0, high = 0] = previous;
    const low24 = reg.LBA_LOW.value | (reg.LBA_MID.value << 8) | (reg.LBA_HIGH.value << 16);
    if (wide) {
      const upper = low | (mid << 8) | (high << 16);
      return { lba: upper * 2 ** 24 + low24, count: (count << 8) | reg.COUNT.value || 0x1_0000 };
    }
    const sectors = reg.COUNT.value || 0x100;
    if (reg.DEVICE.LBA) return { lba: reg.DEVICE.HEAD * 2 ** 24 + low24, count: sectors };
    const cylinder = reg.LBA_MID.value | (reg.LBA_HIGH.value << 8);
    const head = cylinder * (heads[selected()] ?? 1) + reg.DEVICE.HEAD;
    return { lba: head * (spt[selected()] ?? 1) + reg.LBA_LOW.value - 1, count: sectors };
  }
  function start({ direction, mode, wide }: ReadWrite, backend: BlockBackend): void {
    const { lba, count } = addressed(wide);
    if (lba < 0 || lba + count > sectorsOf(backend)) return fail(AtaError.IdNotFound);
    const block = mode === 'multiple' ? (multiple[selected()] ?? 0) : 1;
    if (block === 0) return fail(AtaError.Abort);
    if (direction === 'out' && backend.readOnly) return fail(AtaError.Abort);
    set('lba', lba);
    set('sectors', count);
    set('block', block);
    set('direction', direction);
    set('medium', true);
    set('moved', 0);
    set('dma', mode === 'dma');
    if (mode === 'verify') busy('complete', count);
    else if (mode === 'dma') busy('request-dma', 0);
    else if (direction === 'in') busy('read-block', Math.min(block, count));
    else {
      openBuffer();
      busy('request-data', 0);
    }
  }

  function execute(code: number): void {
    const backend = drive();
    interrupt[selected()] = 0;
    updateInterrupt();
    if (code === 0x90) return diagnose();
    if (!backend || (status[selected()] ?? 0) & Status.Busy) return;
    endTransfer();
    error[selected()] = 0;
    const readWrite = READ_WRITE[code];
    if (readWrite) return start(readWrite, backend);
    switch (code) {
      case 0xec: // IDENTIFY DEVICE
        buffer.set(identifyData(identity(backend)));
        set('direction', 'in');
        set('medium', false);
        set('sectors', 1);
        set('block', 1);
        return busy('read-block', 0);
      case 0xe7: // FLUSH CACHE
      case 0xea: // FLUSH CACHE EXT
        if (!access(() => backend.flush())) return fail(AtaError.Abort);
        return busy('complete', 0);
      case 0xef:
        return setFeatures();
      case 0xc6: // SET MULTIPLE MODE: a power of two
        if (reg.COUNT.value > MAX_MULTIPLE || (reg.COUNT.value & (reg.COUNT.value - 1)) !== 0)
          return fail(AtaError.Abort);
        multiple[selected()] = reg.COUNT.value;
        return busy('complete', 0);
      case 0x91: // INITIALIZE DEVICE PARAMETERS
        heads[selected()] = reg.DEVICE.HEAD + 1;
        spt[selected()] = reg.COUNT.value || 1;
        return busy('complete', 0);
      case 0xf8: // READ NATIVE MAX ADDRESS
        return reportMaximum(Math.min(sectorsOf(backend), LBA28_LIMIT) - 1, false);
      case 0x27: // READ NATIVE MAX ADDRESS EXT
        return reportMaximum(sectorsOf(backend) - 1, true);
      case 0xe5: // CHECK POWER MODE: active
        reg.COUNT.value = 0xff;
        return busy('complete', 0);
      case 0x10: // RECALIBRATE
      case 0x70: // SEEK
      case 0xe0: // STANDBY IMMEDIATE
      case 0xe1: // IDLE IMMEDIATE
      case 0xe2: // STANDBY
      case 0xe3: // IDLE
      case 0xe6: // SLEEP
        return busy('complete', 0);
      default:
        return fail(AtaError.Abort);
    }
  }

  function identity(backend: BlockBackend) {
    const sectors = sectorsOf(backend);
    const index = selected();
    return {
      model: 'BOOTLAB HARDDISK',
      serial: `BL${name.toUpperCase()}${index}`,
      firmware: '1.0',
      sectors,
      geometry: defaultGeometry(sectors),
      multiple: multiple[index] ?? 0,
      multiwordMode: modes[2 * index] ?? 0,
      ultraMode: modes[2 * index + 1] ?? 0,
      writeCache: cache[index] === 1,
    };
  }

  /** Section 8.46: the few features that change what the drive reports. */
  function setFeatures(): void {
    const index = selected();
    switch (reg.FEATURES.value) {
      case 0x02:
      case 0x82:
        cache[index] = reg.FEATURES.value === 0x02 ? 1 : 0;
        return busy('complete', 0);
      case 0x03: {
        // Transfer mode: bits 7:3 the kind, 2:0 the number.
        const kind = reg.COUNT.value >>> 3;
        const mode = reg.COUNT.value & 7;
        if (kind > 1 && mode > 2) return fail(AtaError.Abort);
        if (kind === 4) modes.set([1 << mode, 0], 2 * index);
        else if (kind === 8) modes.set([0, 1 << mode], 2 * index);
        else if (kind > 1) return fail(AtaError.Abort);
        return busy('complete', 0);
      }
      case 0x55: // read look-ahead
      case 0xaa:
      case 0x66: // reverting to defaults
      case 0xcc:
        return busy('complete', 0);
      default:
        return fail(AtaError.Abort);
    }
  }

  function reportMaximum(lba: number, wide: boolean): void {
    reg.LBA_LOW.value = lba & 0xff;
    reg.LBA_MID.value = (lba >>> 8) & 0xff;
    reg.LBA_HIGH.value = (lba >>> 16) & 0xff;
    const upper = Math.floor(lba / 2 ** 24);
    if (wide) previous.set([0, upper & 0xff, (upper >>> 8) & 0xff, (upper >>> 16) & 0xff]);
    else reg.DEVICE.HEAD = upper;
    busy('complete', 0);
  }

  /** Both drives report; drive 0 answers for the channel (section 8.11). */
  function diagnose(): void {
    if (!anyDrive) return;
    endTransfer();
    reg.DEVICE.value = 0;
    signature();
    if (drive()) raise();
  }

  /** Task file after a reset: a disk that speaks plain ATA (section 9.12). */
  function signature(): void {
    reg.COUNT.value = 1;
    reg.LBA_LOW.value = 1;
    reg.LBA_MID.value = 0;
    reg.LBA_HIGH.value = 0;
    previous.fill(0);
    status.fill(READY);
    error.fill(1);
  }

  function softReset(asserted: boolean, before: boolean): void {
    if (asserted && !before) {
      endTransfer();
      interrupt.fill(0);
      multiple.fill(0);
      reg.DEVICE.value = 0;
      status.fill(Status.Busy);
    } else if (!asserted && before) later('reset', COMMAND_NS);
    updateInterrupt();
  }

  const currentStatus = (): number => {
    if (!anyDrive) return NO_DEVICE;
    return drive() ? (status[selected()] ?? 0) : 0;
  };
  /** Reads of the task file; the HOB bit shows what the last write pushed out. */
  const taskFile = (place: number) => ({
    read: (stored: number): number => {
      if (!anyDrive) return NO_DEVICE;
      return control.reg.CONTROL.HOB ? (previous[place] ?? 0) : stored;
    },
    write: (_: number, before: number): void => {
      previous[place] = before;
      control.reg.CONTROL.HOB = 0;
    },
  });

  command.behave({
    DATA: { read: readData, write: writeData },
    ERROR: { read: () => (anyDrive ? (error[selected()] ?? 0) : NO_DEVICE) },
    COUNT: taskFile(0),
    LBA_LOW: taskFile(1),
    LBA_MID: taskFile(2),
    LBA_HIGH: taskFile(3),
    DEVICE: {
      read: (stored) => (anyDrive ? stored | 0xa0 : NO_DEVICE),
      write: () => {
        control.reg.CONTROL.HOB = 0;
        updateInterrupt();
      },
    },
    STATUS: {
      read: () => {
        const value = currentStatus();
        interrupt[selected()] = 0;
        updateInterrupt();
        return value;
      },
    },
    COMMAND: {
      write: (code) => {
        control.reg.CONTROL.HOB = 0;
        execute(code);
      },
    },
  });
  control.behave({
    ALTERNATE_STATUS: { read: currentStatus },
    CONTROL: { write: (written, before) => softReset((written & 4) !== 0, (before & 4) !== 0) },
  });
  device.onReset(() => {
    signature();
    updateInterrupt();
  });

  return {
    command,
    control,
    /** The transfer that waits for the controller, if the drive has raised its DMA request. */
    dmaTransfer(): DmaTransfer | undefined {
      const backend = drive();
      const requested = transfer[key('dma')] && ((status[selected()] ?? 0) & Status.DataRequest) !== 0;
      if (!backend || !requested) return undefined;
      const toMemory = transfer[key('direction')] === 'in';
      return {
        direction: toMemory ? 'to-memory' : 'from-memory',
        get remaining() {
          return get('sectors') * SECTOR_BYTES - get('moved');
        },
        move(bytes) {
          const offset = get('lba') * SECTOR_BYTES + get('moved');
          const done = access(() => (toMemory ? backend.read(offset, bytes) : backend.write(offset, bytes)));
          if (!done) {
            fail(toMemory ? AtaError.Uncorrectable : AtaError.Abort);
            return false;
          }
          set('moved', get('moved') + bytes.length);
          if (get('moved') === get('sectors') * SECTOR_BYTES) complete();
          return true;
        },
      };
    },
  };
}
