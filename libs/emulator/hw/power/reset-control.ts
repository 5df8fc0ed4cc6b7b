// Reset control register of PC south bridges, I/O address 0xcf9.
// Intel, "82371AB PCI-to-ISA / IDE Xcelerator (PIIX4)", order number 290562-001, April 1997, register RC.
import { defineDevice } from '../device.js';
import { bit, registerMap } from '../registers.js';

const REGISTERS = registerMap({
  RC: { offset: 0, fields: { SRST: bit(1), RCPU: bit(2) } },
});

export interface ResetControlProperties {
  /** Called on a reset: `hard` resets the whole machine, `soft` the CPU alone. */
  readonly reset: (kind: 'hard' | 'soft') => void;
}

export const resetControl = defineDevice({
  type: 'reset-control',
  title: 'reset control register',
  stateVersion: 1,

  create(device, { reset }: ResetControlProperties) {
    const registers = device.registers('io', REGISTERS);
    registers.behave({
      RC: {
        fields: {
          RCPU: {
            // The type is chosen by SRST; a rising RCPU starts it.
            write: (start, previous) => {
              if (start && !previous) reset(registers.reg.RC.SRST ? 'hard' : 'soft');
            },
          },
        },
      },
    });
    return { registers };
  },
});
