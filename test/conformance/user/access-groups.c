/* Several accesses off one register, which a translation may check together: at the end of what is mapped, over the border of two
 * pages, and where one of them faults. Then those before it have been executed, and those behind it have not. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, ROUNDS = 30000, PRESET = 0x11223344, SIZE = 16 };

static sigjmp_buf env;
static unsigned registers[4];
static uintptr_t at;

static void on_fault(int sig, siginfo_t *info, void *context) {
  for (int i = 0; i < 4; i++) registers[i] = ((ucontext_t *)context)->uc_mcontext.gregs[8 + i];
  at = (uintptr_t)info->si_addr;
  siglongjmp(env, sig);
}

#define BODY(accesses)                                                                                             \
  unsigned sum;                                                                                                    \
  __asm__ volatile(".set push\n.set noreorder\nli $8,%2\nli $9,%2\nli $10,%2\nli $11,%2\n" accesses                \
                   "\naddu %0,$8,$9\nsll $10,$10,1\naddu %0,%0,$10\nsll $11,$11,2\naddu %0,%0,$11\n.set pop\n"     \
                   : "=&r"(sum)                                                                                    \
                   : "r"(p), "i"(PRESET)                                                                           \
                   : "$8", "$9", "$10", "$11", "memory");                                                          \
  return sum

static __attribute__((noinline)) unsigned loads(void *p) {
  BODY("lw $8,0(%1)\nlbu $9,5(%1)\nlhu $10,10(%1)\nlw $11,12(%1)");
}
static __attribute__((noinline)) unsigned downwards(void *p) {
  BODY("lbu $8,15(%1)\nlw $9,8(%1)\nlhu $10,6(%1)\nlw $11,0(%1)");
}
static __attribute__((noinline)) unsigned stores(void *p) {
  BODY("lw $8,0(%1)\nlbu $9,4(%1)\nsw $8,0(%1)\nsb $9,15(%1)\nlw $10,8(%1)\nlbu $11,15(%1)");
}
/* What follows on both ways, and what on one. */
static __attribute__((noinline)) unsigned branches(void *p) {
  BODY("lw $8,0(%1)\nandi $9,$8,1\nbnez $9,1f\nlbu $9,4(%1)\nlw $10,8(%1)\nb 2f\nnop\n1:\nlhu $10,12(%1)\nlw $10,8(%1)\n"
       "2:\nlbu $11,14(%1)");
}
/* The register moves on in between. */
static __attribute__((noinline)) unsigned moves(void *p) {
  BODY("lw $8,0(%1)\naddiu %1,%1,8\nlw $9,-4(%1)\nlw $10,0(%1)\nlw $11,4(%1)\naddiu %1,%1,-8");
}

typedef unsigned function(void *);
static const struct { const char *name; function *call; } functions[] = {
  {"loads", loads}, {"downwards", downwards}, {"stores", stores}, {"branches", branches}, {"moves", moves},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* Words of equal bytes, so that both byte orders see the same. */
static void fill(unsigned char *p) {
  for (int i = 0; i < SIZE; i++) p[i] = (unsigned char)(0x80 + i / 4 * 37);
}

static void fault(int which, void *p, const unsigned char *edge) {
  int sig = sigsetjmp(env, 1);
  if (sig == 0) {
    unsigned sum = functions[which].call(p);
    printf("%s: %08x\n", functions[which].name, sum);
    return;
  }
  printf("%s: signal %d at %d:", functions[which].name, sig, (int)(at - (uintptr_t)edge));
  for (int i = 0; i < 4; i++) printf(registers[i] == PRESET ? " -" : " %x", registers[i]);
  printf("\n");
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  unsigned char *memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  unsigned char *edge = memory + 2 * PAGE;
  unsigned char *border = memory + PAGE;

  unsigned sum = 0;
  munmap(edge, PAGE);
  for (int round = 0; round < ROUNDS; round++) {
    unsigned char *p = round % 2 ? edge - SIZE : border - 32 + round % 16 * 4;
    for (int i = 0; i < FUNCTIONS; i++) {
      fill(p);
      memset(p, 0x80 ^ (round >> 4), 4);
      sum = sum * 31 + functions[i].call(p);
    }
  }
  printf("%08x\n", sum);

  for (int missing = 4; missing <= SIZE; missing += 4) {
    unsigned char bytes[SIZE];
    printf("%d bytes missing\n", missing);
    fill(bytes);
    memcpy(edge - SIZE + missing, bytes, SIZE - missing);
    for (int i = 0; i < FUNCTIONS; i++) fault(i, edge - SIZE + missing, edge);
  }
  printf("read only\n");
  fill(edge - SIZE);
  mprotect(border, PAGE, PROT_READ);
  for (int i = 0; i < FUNCTIONS; i++) fault(i, edge - SIZE, edge);
  printf("half of it read only\n");
  memset(border - 8, 0x91, 8);
  for (int i = 0; i < FUNCTIONS; i++) fault(i, border - 8, border);
  printf("not there\n");
  mprotect(memory, 2 * PAGE, PROT_NONE);
  for (int i = 0; i < FUNCTIONS; i++) fault(i, border - 8, border);
  return 0;
}
