import { mipsElf } from './mips-elf.js';
import { andi, beqz, jump, lbu, ori, sb, T0, T1, UART_IN_T0 } from './mips-words.js';

/** Prints ">" and from then on sends back every byte that it receives. NS16550A data sheet, section 8. */
export const ECHO = mipsElf(
  [
    ...UART_IN_T0,
    ori(T1, 0, 3), // DTR and RTS
    sb(T1, T0, 4),
    ori(T1, 0, '>'.charCodeAt(0)),
    sb(T1, T0),
    lbu(T1, T0, 5), // line status, word 6
    andi(T1, T1, 1),
    ...beqz(T1, -3),
    lbu(T1, T0),
    sb(T1, T0),
    ...jump(6),
  ],
  { byteOrder: 'little' },
);
