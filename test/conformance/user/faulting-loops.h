/* Loops in assembly language on four pages, some of which are protected: what is in registers where an access faults, and that
 * the loop goes on with it once the page is there. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

/* So many bytes are equal: words of equal bytes are the same in both byte orders. */
#ifndef GRAIN
#define GRAIN 1
#endif

enum { PAGE = 4096, ROUNDS = 400, COUNT = 600, REGISTERS = 6 };

static sigjmp_buf env;
static unsigned char *memory;
static int mends;

static void on_fault(int sig, siginfo_t *info, void *context) {
  mcontext_t *at = &((ucontext_t *)context)->uc_mcontext;
  int offset = (int)((uintptr_t)info->si_addr - (uintptr_t)memory);
  printf(" [%d:", offset);
  for (int i = 0; i < REGISTERS; i++) {
    uint32_t value = at->gregs[8 + i];
    uint32_t distance = value - (uint32_t)(uintptr_t)memory;
    printf(distance < 4 * PAGE ? " +%x" : " %x", distance < 4 * PAGE ? distance : value);
  }
  printf(" %x %x]", (unsigned)at->mdhi, (unsigned)at->mdlo);
  if (mends && offset >= 0 && offset < 4 * PAGE) mprotect(memory, 4 * PAGE, PROT_READ | PROT_WRITE);
  else siglongjmp(env, sig);
}

/* $8 and $9 go through bytes from `p` and `q` on, $10 counts down, $11 to $13 are the loop's own. */
#define LOOP(body)                                                                                                    \
  unsigned sum;                                                                                                       \
  __asm__ volatile(".set push\n.set noreorder\nmove $8,%1\nmove $9,%2\nmove $10,%3\nli $11,7\nli $12,5\nli $13,3\n"   \
                   "mtlo $0\nmthi $0\n" body "\naddu %0,$11,$12\nxor %0,%0,$13\nmflo $11\nxor %0,%0,$11\n"            \
                   "mfhi $11\naddu %0,%0,$11\naddu %0,%0,$8\nsubu %0,%0,$9\n.set pop\n"                               \
                   : "=&r"(sum)                                                                                       \
                   : "r"(p), "r"(q), "r"(count)                                                                       \
                   : "$8", "$9", "$10", "$11", "$12", "$13", "hi", "lo", "memory");                                   \
  return sum - (unsigned)(uintptr_t)p + (unsigned)(uintptr_t)q

#define FUNCTION(name) static __attribute__((noinline)) unsigned name(void *p, void *q, int count)

struct function {
  const char *name;
  unsigned (*call)(void *p, void *q, int count);
};

static void fill(void) {
  for (int i = 0; i < 4 * PAGE; i++) {
    int first = i - i % GRAIN;
    memory[i] = (unsigned char)(first * 7 + first / 13);
  }
}

static void run(const struct function *function, int from, int to, int count) {
  printf("%s:", function->name);
  if (sigsetjmp(env, 1) == 0) printf(" %08x", function->call(memory + from, memory + to, count));
  printf("\n");
}

/* From where it is to a page that is not there: a few rounds, and just beyond a number of them that may be checked together. */
static const int distances[] = {37, 70, 270, 520};
enum { DISTANCES = sizeof distances / sizeof *distances };

static int run_all(const struct function *functions, int number) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  for (int i = 0; i < number; i++) {
    unsigned sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
      fill();
      sum = sum * 31 + functions[i].call(memory + PAGE - round, memory + 2 * PAGE - 2 * round, COUNT + round % 7);
    }
    printf("%s: %08x\n", functions[i].name, sum);
  }
  for (mends = 0; mends < 2; mends++) {
    for (int i = 0; i < number; i++) {
      for (int distance = 0; distance < DISTANCES; distance++) {
        fill();
        mprotect(memory + PAGE, PAGE, PROT_NONE);
        run(&functions[i], PAGE - distances[distance], 3 * PAGE, COUNT);
        mprotect(memory, 4 * PAGE, PROT_READ | PROT_WRITE);
      }
      fill();
      mprotect(memory + 3 * PAGE, PAGE, PROT_NONE);
      run(&functions[i], 0, 3 * PAGE - 41, COUNT);
      mprotect(memory, 4 * PAGE, PROT_READ);
      run(&functions[i], 10, 2 * PAGE, COUNT);
      mprotect(memory, 4 * PAGE, PROT_READ | PROT_WRITE);
    }
  }
  return 0;
}
