import { kernelElf } from './kernel-elf.js';
import { andi, beqz, jump, lbu, ori, sb, T0, T1, UART_IN_T0 } from './mips-words.js';

/** NS16550A data sheet, section 8: register offsets and bits. */
const MODEM_CONTROL = 4;
const DTR_AND_RTS = 3;
const LINE_STATUS = 5;
const DATA_READY = 1;

/** Prints ">" and from then on sends back every byte that it receives. */
export const ECHO = kernelElf(
  [
    ...UART_IN_T0,
    ori(T1, 0, DTR_AND_RTS),
    sb(T1, T0, MODEM_CONTROL), // the far end sends only while RTS is on
    ori(T1, 0, '>'.charCodeAt(0)),
    sb(T1, T0),
    lbu(T1, T0, LINE_STATUS), // word 6
    andi(T1, T1, DATA_READY),
    ...beqz(T1, -3),
    lbu(T1, T0),
    sb(T1, T0),
    ...jump(6),
  ],
  { byteOrder: 'little' },
);
