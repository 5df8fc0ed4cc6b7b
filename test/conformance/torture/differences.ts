/** Tests that end otherwise than under QEMU 7.2, by name, each with why that is right. */
export const EXPLAINED: Readonly<Record<string, string>> = {
  '20101011-1':
    'Division by zero, which the compiler traps with `teq …, 7`: the code BRK_DIVZERO, for which Linux sends SIGFPE ' +
    '(arch/mips/include/uapi/asm/break.h). The program waits for it and passes here; qemu-user sends SIGTRAP.',
  'return-addr': 'Prints addresses of its stack, which is elsewhere.',
};
