/* Calls and returns in hot code, in every order that programs have them: recursion deeper than any stack of the host's, returns to
 * somewhere else than the caller, other stacks, signals in the middle, and functions that never return. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))
/* Too long for a translation to take it into its callers. */
#define LONG(x) x x x x x x x x x x x x x x x x x x x x x x x x

static volatile unsigned sink;

static NOINLINE unsigned mix(unsigned a, unsigned b) {
  if (a & 0x80000000u) return a ^ b;
  LONG(sink += a; a = a * 5 + b; b ^= a >> 3; sink ^= b;)
  return a + b;
}

static NOINLINE unsigned fib(unsigned n) { return n < 2 ? mix(n | 0x80000000u, n) & 1 : fib(n - 1) + fib(n - 2); }

static NOINLINE unsigned deep(unsigned n, unsigned sum) {
  LONG(sink += sum;)
  return n == 0 ? sum : deep(n - 1, mix(sum | 0x80000000u, n)) + n;
}

static jmp_buf out;
static NOINLINE unsigned leave_from(unsigned depth, unsigned value) {
  LONG(sink ^= value;)
  if (depth == 0) longjmp(out, (int)(value & 0xff) + 1);
  return leave_from(depth - 1, value + depth) + 1;
}
static NOINLINE unsigned jumps(unsigned i) {
  volatile unsigned result = i;
  int came = setjmp(out);
  if (came == 0) return leave_from(i % 7, i);
  result += came;
  return result;
}

static unsigned (*const table[])(unsigned, unsigned) = {mix, deep};
static NOINLINE unsigned through(unsigned which, unsigned a, unsigned b) {
  LONG(sink += which;)
  return table[which & 1](which & 1 ? a & 7 : a | 0x80000000u, b);
}

static ucontext_t main_context, other_context;
static char other_stack[65536];
static volatile unsigned passed;
static NOINLINE void hand_over(ucontext_t *from, ucontext_t *to) {
  LONG(sink += passed;)
  swapcontext(from, to);
}
static void other(void) {
  for (;;) {
    passed = mix(passed | 0x80000000u, 3) + 1;
    hand_over(&other_context, &main_context);
  }
}

static volatile unsigned ticks;
static volatile sig_atomic_t in_handler;
static void on_signal(int sig) {
  (void)sig;
  in_handler = 1;
  ticks += mix(ticks | 0x80000000u, 1) != 0;
  in_handler = 0;
}

static NOINLINE unsigned raises(unsigned i) {
  LONG(sink ^= i;)
  if (i % 64 == 0) kill(getpid(), SIGUSR1);
  return mix(i | 0x80000000u, i);
}

/* Calls a function with the last instruction of a page, so that it returns to another one. */
unsigned at_border(unsigned (*function)(unsigned), unsigned value);
__asm__(".text\n.set push\n.set noreorder\n.balign 4096\n.space 4096 - 20\n"
        ".globl at_border\n.type at_border, @function\nat_border:\n"
        "addiu $29, $29, -32\nsw $31, 28($29)\nmove $25, $4\njalr $25\nmove $4, $5\n"
        "lw $31, 28($29)\njr $31\naddiu $29, $29, 32\n.set pop\n");

static NOINLINE unsigned may_leave(unsigned value) {
  LONG(sink += value;)
  return value % 4 == 0 ? leave_from(value % 5, value) : mix(value | 0x80000000u, value);
}
static NOINLINE unsigned borders(unsigned (*border)(unsigned (*)(unsigned), unsigned), unsigned i) {
  volatile unsigned result = i;
  int came = setjmp(out);
  if (came == 0) return border(may_leave, i);
  result += came;
  return result;
}
/* The page that would be returned to is gone, but nobody returns. */
static NOINLINE unsigned gone(char *pages, unsigned i) {
  if (i % 16 == 4) mprotect(pages + 4096, 4096, PROT_NONE);
  unsigned result = borders((void *)(pages + 4096 - 20), i);
  if (i % 16 == 4) mprotect(pages + 4096, 4096, PROT_READ | PROT_EXEC);
  return result;
}

/* More calls of a short function than a return compares its target with. */
static NOINLINE unsigned halve(unsigned a) { return a & 1 ? (a * 3 + 1) >> 1 : a >> 1; }
static NOINLINE unsigned many(unsigned a) {
  unsigned sum = 0;
  for (unsigned i = 0; i < 4; i++) {
    sum += halve(a) + 1, sum ^= halve(sum), sum += halve(sum + 1), sum ^= halve(sum + 2), sum += halve(a ^ sum);
    sum ^= halve(sum + 3), sum += halve(sum + 4), sum ^= halve(sum + 5), sum += halve(sum + 6), sum ^= halve(sum + 7);
  }
  return sum;
}

int main(void) {
  signal(SIGUSR1, on_signal);
  unsigned sum = 1;
  for (unsigned i = 0; i < 20; i++) sum = sum * 31 + fib(17);
  printf("fib %u\n", sum);
  for (unsigned i = 0; i < 300; i++) sum = sum * 31 + deep(i % 2 ? 900 : 30, i);
  printf("deep %u\n", sum);
  for (unsigned i = 0; i < 20000; i++) sum = sum * 31 + jumps(i);
  printf("jumps %u\n", sum);
  for (unsigned i = 0; i < 20000; i++) sum = sum * 31 + through(i, sum, i);
  printf("through %u\n", sum);
  getcontext(&other_context);
  other_context.uc_stack.ss_sp = other_stack;
  other_context.uc_stack.ss_size = sizeof other_stack;
  makecontext(&other_context, other, 0);
  for (unsigned i = 0; i < 10000; i++) {
    passed = i;
    hand_over(&main_context, &other_context);
    sum = sum * 31 + passed;
  }
  printf("contexts %u\n", sum);
  for (unsigned i = 0; i < 20000; i++) sum = sum * 31 + raises(i);
  printf("signals %u %u\n", sum, ticks);
  for (unsigned i = 0; i < 20000; i++) sum = sum * 31 + borders(at_border, i);
  printf("borders %u\n", sum);
  char *pages = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(pages + 4096 - 20, at_border, 32);
  __builtin___clear_cache(pages, pages + 8192);
  for (unsigned i = 0; i < 20000; i++) sum = sum * 31 + gone(pages, i);
  printf("gone %u\n", sum);
  for (unsigned i = 0; i < 10000; i++) sum = sum * 31 + many(sum);
  printf("many %u\n", sum);
  return 0;
}
