/* Short loops, whose registers a translation may keep for itself from round to round: what is in them where an access faults in the middle
 * of a round, and that the loop goes on with it once the page is there. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, ROUNDS = 400, COUNT = 600, REGISTERS = 6 };

static sigjmp_buf env;
static unsigned char *memory;
static int mends;

static void on_fault(int sig, siginfo_t *info, void *context) {
  mcontext_t *at = &((ucontext_t *)context)->uc_mcontext;
  printf(" [%d:", (int)((uintptr_t)info->si_addr - (uintptr_t)memory));
  for (int i = 0; i < REGISTERS; i++) {
    uint32_t value = at->gregs[8 + i];
    uint32_t distance = value - (uint32_t)(uintptr_t)memory;
    printf(distance < 4 * PAGE ? " +%x" : " %x", distance < 4 * PAGE ? distance : value);
  }
  printf(" %x %x]", (unsigned)at->mdhi, (unsigned)at->mdlo);
  if (mends) mprotect(memory, 4 * PAGE, PROT_READ | PROT_WRITE);
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

FUNCTION(products) {
  LOOP("1:\nlb $11,0($8)\naddiu $8,$8,1\nlb $12,0($9)\naddiu $9,$9,1\naddiu $10,$10,-1\nbnez $10,1b\nmadd $11,$12");
}
FUNCTION(copies) {
  LOOP("1:\nlbu $11,0($8)\naddiu $8,$8,1\nsb $11,0($9)\naddiu $10,$10,-1\nbnez $10,1b\naddiu $9,$9,1");
}
/* Of two ways through the loop one stores. */
FUNCTION(choices) {
  LOOP("1:\nlbu $11,0($8)\nandi $12,$11,4\nbeqz $12,2f\naddiu $8,$8,1\nsb $11,0($9)\naddiu $9,$9,1\n2:\naddu $13,$13,$11\n"
       "addiu $10,$10,-1\nbnez $10,1b\nrotr $13,$13,3");
}
/* It is left in the middle, in a delay slot that then is not executed. */
FUNCTION(searches) {
  LOOP("1:\naddiu $10,$10,-1\nbeqz $10,2f\nlbu $11,0($8)\naddu $13,$13,$11\nbnel $13,$0,1b\nlbu $12,1($8)\n2:\nmove $10,$0\n"
       "3:\naddiu $8,$8,1\naddiu $10,$10,1\nsltiu $11,$10,64\nbnez $11,3b\nlbu $12,0($8)");
}
/* A loop in a loop that begins with it. */
FUNCTION(nests) {
  LOOP("move $13,$8\n1:\nandi $12,$10,7\n2:\nlbu $11,0($8)\naddiu $8,$8,1\nmsub $11,$12\nbnez $12,2b\naddiu $12,$12,-1\n"
       "lbu $11,0($9)\naddiu $9,$9,3\nmadd $11,$10\naddiu $10,$10,-1\nbnez $10,1b\nnop\nmove $8,$13\nli $13,3");
}

typedef unsigned function(void *, void *, int);
static const struct { const char *name; function *call; } functions[] = {
  {"products", products}, {"copies", copies}, {"choices", choices}, {"searches", searches}, {"nests", nests},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static void fill(void) {
  for (int i = 0; i < 4 * PAGE; i++) memory[i] = (unsigned char)(i * 7 + i / 13);
}

static void run(int i, int from, int to, int count) {
  printf("%s:", functions[i].name);
  if (sigsetjmp(env, 1) == 0) printf(" %08x", functions[i].call(memory + from, memory + to, count));
  printf("\n");
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  for (int i = 0; i < FUNCTIONS; i++) {
    unsigned sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
      fill();
      sum = sum * 31 + functions[i].call(memory + PAGE - round, memory + 2 * PAGE - 2 * round, COUNT + round % 7);
    }
    printf("%s: %08x\n", functions[i].name, sum);
  }
  for (mends = 0; mends < 2; mends++) {
    for (int i = 0; i < FUNCTIONS; i++) {
      fill();
      mprotect(memory + PAGE, PAGE, PROT_NONE);
      run(i, PAGE - 37, 3 * PAGE, COUNT);
      mprotect(memory, 4 * PAGE, PROT_READ | PROT_WRITE);
      fill();
      mprotect(memory + 3 * PAGE, PAGE, PROT_NONE);
      run(i, 0, 3 * PAGE - 41, COUNT);
      mprotect(memory, 4 * PAGE, PROT_READ);
      run(i, 10, 2 * PAGE, COUNT);
      mprotect(memory, 4 * PAGE, PROT_READ | PROT_WRITE);
    }
  }
  return 0;
}
