/*
 * Bare metal on the MIPS Malta board, entered in kseg0 as a boot loader's "go" does it (MIPS Malta User's Manual,
 * MD00048: address map and section "SOFTRES register"). The first UART of the Super I/O chip sits at ISA port 0x3f8 in the PCI
 * I/O window at physical 0x18000000; writing 0x42 to SOFTRES resets the board, which ends the run.
 */
#include "workload.h"

#define UART ((volatile u8 *)0xb80003f8)
#define UART_THR 0
#define UART_LSR 5
#define LSR_THR_EMPTY 0x20
#define SOFTRES (*(volatile u32 *)0xbf000500)
#define SOFTRES_GO 0x42

__asm__(".section .start, \"ax\"\n"
        ".set noreorder\n"
        ".globl _start\n"
        "_start:\n"
        "  lui   $29, %hi(stack_top)\n"
        "  addiu $29, $29, %lo(stack_top)\n"
        "  jal   malta_start\n"
        "  nop\n"
        ".set reorder\n"
        ".previous\n");

void platform_write(const char *text, u32 length) {
  while (length--) {
    while (!(UART[UART_LSR] & LSR_THR_EMPTY)) {
    }
    UART[UART_THR] = (u8)*text++;
  }
}

u32 platform_cycles(void) {
  u32 count;
  __asm__ volatile("mfc0 %0, $9" : "=r"(count)); /* Count runs at half the CPU clock on these cores */
  return count * 2;
}

void malta_start(void) {
  bench_main();
  SOFTRES = SOFTRES_GO;
  for (;;) {
  }
}
