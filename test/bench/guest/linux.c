/* The same program as a static Linux process without a C library: the reference under user-mode emulation. */
#include "workload.h"

#define SYS_EXIT 4001 /* o32 system call numbers: Linux, arch/mips/include/uapi/asm/unistd.h */
#define SYS_WRITE 4004
#define STDOUT 1

__asm__(".globl __start\n"
        "__start:\n"
        "  jal linux_start\n"
        "  nop\n");

static u32 system_call(u32 number, u32 first, const void *second, u32 third) {
  register u32 v0 __asm__("$2") = number;
  register u32 a0 __asm__("$4") = first;
  register const void *a1 __asm__("$5") = second;
  register u32 a2 __asm__("$6") = third;
  register u32 a3 __asm__("$7");
  __asm__ volatile("syscall"
                   : "+r"(v0), "=r"(a3)
                   : "r"(a0), "r"(a1), "r"(a2)
                   : "$1", "$3", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$24", "$25", "memory");
  return v0;
}

void platform_write(const char *text, u32 length) { system_call(SYS_WRITE, STDOUT, text, length); }

u32 platform_cycles(void) { return 0; }

void linux_start(void) {
  system_call(SYS_EXIT, (u32)bench_main(), 0, 0);
  for (;;) {
  }
}
