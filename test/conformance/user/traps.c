/* What Linux makes of arithmetic and other traps: signal, code and address of each. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <ucontext.h>

static sigjmp_buf env;

static void fault(int sig, siginfo_t *si, void *context) {
  ucontext_t *uc = context;
  const char *at = si->si_addr == NULL ? "null" : (uintptr_t)si->si_addr == (uintptr_t)uc->uc_mcontext.pc ? "pc" : "other";
  printf(" signal %d code %d addr %s\n", sig, si->si_code, at);
  siglongjmp(env, 1);
}

#define TRAP(what, statement)       \
  do {                              \
    printf("%s:", what);            \
    if (!sigsetjmp(env, 1)) {       \
      statement;                    \
      printf(" nothing\n");         \
    }                               \
  } while (0)

static double divide(double a, double b) {
  volatile double x = a, y = b;
  volatile double quotient = x / y;
  return quotient;
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  struct sigaction sa = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGFPE, &sa, NULL);
  sigaction(SIGTRAP, &sa, NULL);
  sigaction(SIGILL, &sa, NULL);
  sigaction(SIGBUS, &sa, NULL);
  sigaction(SIGSEGV, &sa, NULL);
  volatile int zero = 0;
  int x = 0x7fffffff;
  TRAP("division by zero", printf("%d\n", 7 / zero));
  TRAP("break overflow", __asm__ volatile("break 6"));
  TRAP("break division", __asm__ volatile("break 7"));
  TRAP("break", __asm__ volatile("break"));
  TRAP("teq", __asm__ volatile("teq $0, $0"));
  TRAP("teq overflow", __asm__ volatile("teq $0, $0, 6"));
  TRAP("tgei in a delay slot", __asm__ volatile(".set push\n.set noreorder\nb 1f\ntgei $0, 0\n1:\n.set pop"));
  TRAP("add", __asm__ volatile("add %0, %0, %0" : "+r"(x)));
  TRAP("reserved", __asm__ volatile(".word 0x0000003e"));
  TRAP("coprocessor 0", __asm__ volatile(".word 0x40026000"));
  TRAP("jump to an odd address", ((void (*)(void))((uintptr_t)main + 2))());
  TRAP("kernel address", (void)*(volatile char *)0x80000000u);
  TRAP("unaligned ll", __asm__ volatile("ll $2, 2(%0)" : : "r"(&x) : "$2", "memory"));
  __asm__ volatile("ctc1 %0, $31" : : "r"(0xe00)); /* enables invalid, division by zero, overflow */
  TRAP("float division", divide(1, 0));
  TRAP("float invalid", divide(0, 0));
  TRAP("float overflow", divide(1e308, 1e-308));
  unsigned local;
  __asm__ volatile("rdhwr %0, $3" : "=r"(local));
  printf("counter resolution %u\n", local);
  return 0;
}
