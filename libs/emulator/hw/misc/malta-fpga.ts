import type { ByteOrder } from '../../core/index.js';
import { defineDevice } from '../device.js';
import type { I2cBus } from '../i2c/i2c-target.js';
import { IDLE_WIRES, I2cWires } from '../i2c/i2c-wires.js';
import type { WireState } from '../i2c/i2c-wires.js';
import { bit, bits, registerMap } from '../registers.js';

/**
 * The FPGA on the Malta board's CBUS: switches and jumpers, LEDs, the eight-character display, reset, general purpose
 * I/O and an I2C port. All registers are 32 bits wide in the CPU's byte order, 8 bytes apart.
 * Source: MIPS Technologies, Malta User's Manual (MD00048), revision 1.07, chapter 3 (memory map) and chapter 5
 * (board registers).
 */
export interface MaltaFpgaProperties {
  readonly byteOrder: ByteOrder;
  readonly i2c: I2cBus;
  readonly onReset: () => void;
}

const SOFT_RESET_KEY = 0x42;
const DISPLAY_CHARACTERS = 8;
const word = (offset: number) => ({ offset, width: 4 }) as const;
const readOnly = (offset: number, reset: number) => ({ offset, width: 4, access: 'ro', reset }) as const;
const character = (index: number) =>
  ({ offset: 0x418 + 8 * index, width: 4, access: 'wo', fields: { CODE: bits(7, 0) } }) as const;

const REGISTERS = registerMap({
  NMISTATUS: readOnly(0x024, 0),
  NMIACK: { offset: 0x104, width: 4, access: 'wo' },
  SWITCH: readOnly(0x200, 0),
  STATUS: { offset: 0x208, width: 4, access: 'ro', fields: { MFWR: bit(1, 'ro', 1), BIGEND: bit(4) } },
  // PCI clock jumpers 4:2 at zero mean 33 MHz.
  JMPRS: readOnly(0x210, 0),
  LEDBAR: { offset: 0x408, width: 4, fields: { LEDS: bits(7, 0) } },
  ASCIIWORD: { offset: 0x410, width: 4, access: 'wo' },
  ASCIIPOS0: character(0),
  ASCIIPOS1: character(1),
  ASCIIPOS2: character(2),
  ASCIIPOS3: character(3),
  ASCIIPOS4: character(4),
  ASCIIPOS5: character(5),
  ASCIIPOS6: character(6),
  ASCIIPOS7: character(7),
  SOFTRES: { offset: 0x500, width: 4, access: 'wo' },
  BRKRES: { offset: 0x508, width: 4, fields: { WIDTH: bits(7, 0, 'rw', 0x0a) } },
  GPOUT: word(0xa00),
  GPINP: readOnly(0xa08, 0),
  I2CINP: { offset: 0xb00, width: 4, access: 'ro', fields: { SDA: bit(0), SCL: bit(1) } },
  I2COE: { offset: 0xb08, width: 4, fields: { SDA: bit(0), SCL: bit(1) } },
  I2COUT: { offset: 0xb10, width: 4, fields: { SDA: bit(0, 'rw', 1), SCL: bit(1, 'rw', 1) } },
  I2CSEL: { offset: 0xb18, width: 4, fields: { FPGA: bit(0, 'rw', 1) } },
});

/** Bytes of CBUS that the FPGA decodes; its UART at 0x900 is mapped over it. */
export const MALTA_FPGA_BYTES = 0x1000;

export const maltaFpga = defineDevice({
  type: 'malta-fpga',
  title: 'Malta board FPGA',
  stateVersion: 1,
  create(device, { byteOrder, i2c, onReset }: MaltaFpgaProperties) {
    const registers = device.registers('cbus', REGISTERS, { byteOrder });
    const { reg } = registers;
    // The display keeps its characters in a reset, the wires float high.
    const display = device.state({ text: ' '.repeat(DISPLAY_CHARACTERS) }, { survivesReset: true });
    const wireState = device.state<WireState & { [name: string]: string | number | boolean }>({ ...IDLE_WIRES });
    const wires = new I2cWires(i2c, wireState);

    /** Open drain: a wire is pulled low where the output is enabled and 0, and floats high otherwise. */
    const driveI2c = (): void => {
      const level = (enable: number, output: number): boolean => !enable || output === 1;
      wires.drive(level(reg.I2COE.SCL, reg.I2COUT.SCL), level(reg.I2COE.SDA, reg.I2COUT.SDA));
    };
    const showAt = (index: number) => ({
      write: (code: number) => {
        display.text = display.text.slice(0, index) + String.fromCharCode(code & 0xff) + display.text.slice(index + 1);
      },
    });
    registers.behave({
      // Eight hexadecimal digits.
      ASCIIWORD: {
        write: (value) => (display.text = value.toString(16).toUpperCase().padStart(DISPLAY_CHARACTERS, '0')),
      },
      ASCIIPOS0: showAt(0),
      ASCIIPOS1: showAt(1),
      ASCIIPOS2: showAt(2),
      ASCIIPOS3: showAt(3),
      ASCIIPOS4: showAt(4),
      ASCIIPOS5: showAt(5),
      ASCIIPOS6: showAt(6),
      ASCIIPOS7: showAt(7),
      SOFTRES: { write: (value) => value === SOFT_RESET_KEY && onReset() },
      I2CINP: { fields: { SDA: { read: () => (wires.sda ? 1 : 0) }, SCL: { read: () => (wireState.scl ? 1 : 0) } } },
      I2COE: { write: driveI2c },
      I2COUT: { write: driveI2c },
    });
    device.onReset(() => {
      reg.STATUS.BIGEND = byteOrder === 'big' ? 1 : 0;
    });
    return {
      registers,
      /** What the eight-character display shows. */
      get display(): string {
        return display.text;
      },
      /** The LED bar, bit 0 the rightmost. */
      get leds(): number {
        return reg.LEDBAR.LEDS;
      },
    };
  },
});
