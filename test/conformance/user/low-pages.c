/* Accesses as far from their register as an instruction can say: on the lowest pages that there can be, below them where the sum of register and
 * distance carries, and beyond the highest. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, ROUNDS = 6000 };

static sigjmp_buf env;
static uintptr_t fault_at;

static void on_fault(int sig, siginfo_t *info, void *context) {
  (void)context;
  fault_at = (uintptr_t)info->si_addr;
  siglongjmp(env, sig);
}

#define ACCESSES(name, distance)                                                                                      \
  static __attribute__((noinline)) unsigned name(uintptr_t base, unsigned count) {                                    \
    unsigned sum = 0, value;                                                                                          \
    __asm__ volatile(".set push\n.set noreorder\n1:\nlw %1," #distance "(%2)\naddu %0,%0,%1\nlbu %1," #distance       \
                     "+3(%2)\naddu %0,%0,%1\naddiu %1,%0,1\nsw %1," #distance "+4(%2)\naddiu %3,%3,-1\nbnez %3,1b\n"  \
                     "rotr %0,%0,5\n.set pop\n"                                                                      \
                     : "+r"(sum), "=&r"(value), "+r"(base), "+r"(count)::"memory");                                   \
    return sum;                                                                                                       \
  }
ACCESSES(far_above, 0x7ff0)
ACCESSES(above, 0x1000)
ACCESSES(at, 0)
ACCESSES(below, -0x1000)
ACCESSES(far_below, -0x8000)

static const struct {
  const char *name;
  unsigned (*call)(uintptr_t base, unsigned count);
  int distance;
} functions[] = {
  {"far above", far_above, 0x7ff0}, {"above", above, 0x1000},          {"at", at, 0},
  {"below", below, -0x1000},        {"far below", far_below, -0x8000},
};

static void access_all(const char *where, uintptr_t address) {
  for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++) {
    int sig = sigsetjmp(env, 1);
    if (sig && address >= 0x80000000u) printf("%s, %s: a fault\n", where, functions[i].name); /* QEMU knows no SIGBUS here */
    else if (sig) printf("%s, %s: signal %d at %x\n", where, functions[i].name, sig, (unsigned)fault_at);
    else printf("%s, %s: %08x\n", where, functions[i].name, functions[i].call(address - functions[i].distance, ROUNDS));
  }
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);

  unsigned char *high = mmap((void *)0x30000000, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(high, 3, 2 * PAGE);
  for (int round = 0; round < 3; round++) access_all("in the middle", (uintptr_t)high + 64);

  access_all("nowhere", 64);
  for (uintptr_t page = 16; page < 20; page++) { /* vm.mmap_min_addr is 64 KiB */
    uintptr_t start = page * PAGE;
    void *low = mmap((void *)start, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (low == MAP_FAILED) {
      printf("page %d cannot be mapped\n", (int)page);
      continue;
    }
    memset(low, (int)page, PAGE);
    access_all("low", start + 8);
  }
  for (uintptr_t page = 1; page < 16; page += 7) access_all("too low", page * PAGE + 16);
  access_all("kernel's", 0xfffff000u);
  return 0;
}
