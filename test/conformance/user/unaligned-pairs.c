/* Words at any address, by pairs of instructions in several orders: what they load and store, and what they leave of it when the
 * second page that they need is not there. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LEFT "3"
#define RIGHT "0"
enum { LEFT_FIRST_FAULTS = 1 };
#else
#define LEFT "0"
#define RIGHT "3"
enum { LEFT_FIRST_FAULTS = 0 };
#endif
#define AS_WRITTEN ".set push\n.set noreorder\n.set noat\n"
#define END ".set pop\n"

enum { PAGE = 4096, ROUNDS = 300000, PRESET = 0x11223344 };

static sigjmp_buf env;
static unsigned left_in_register;

static void on_fault(int sig, siginfo_t *info, void *context) {
  (void)info;
  left_in_register = ((ucontext_t *)context)->uc_mcontext.gregs[2];
  siglongjmp(env, sig);
}

/* The loaded register is $2, as the handler expects. */
#define LOAD(name, first, second)                                                                    \
  static __attribute__((noinline)) unsigned name(const void *p) {                                    \
    register unsigned v __asm__("$2") = PRESET;                                                      \
    __asm__ volatile(AS_WRITTEN first "\n" second "\n" END : "+r"(v) : "r"(p) : "$8", "memory");     \
    return v;                                                                                        \
  }
LOAD(load_left_right, "lwl %0," LEFT "(%1)", "lwr %0," RIGHT "(%1)")
LOAD(load_right_left, "lwr %0," RIGHT "(%1)", "lwl %0," LEFT "(%1)")
LOAD(load_apart, "lwl %0," LEFT "(%1)\naddiu $8,%1,5\nsll $8,$8,3", "lwr %0," RIGHT "(%1)")

#define STORE(name, first, second)                                                                   \
  static __attribute__((noinline)) void name(void *p, unsigned v) {                                  \
    __asm__ volatile(AS_WRITTEN first "\n" second "\n" END : : "r"(v), "r"(p) : "memory");           \
  }
STORE(store_left_right, "swl %0," LEFT "(%1)", "swr %0," RIGHT "(%1)")
STORE(store_right_left, "swr %0," RIGHT "(%1)", "swl %0," LEFT "(%1)")

static __attribute__((noinline)) unsigned load_two(const void *p, const void *q) {
  unsigned a, b;
  __asm__ volatile(AS_WRITTEN "lwl %0," LEFT "(%2)\nlwl %1," LEFT "(%3)\nlwr %0," RIGHT "(%2)\nlwr %1," RIGHT "(%3)\n" END
                   : "=&r"(a), "=&r"(b)
                   : "r"(p), "r"(q)
                   : "memory");
  return a * 31 + b;
}

/* More words in a row than are checked together, each two within each other. */
#define TWO(a, b, at_a, at_b)                                                                        \
  "lwl %" a "," LEFT "+" at_a "(%10)\nlwl %" b "," LEFT "+" at_b "(%10)\n"                            \
  "lwr %" a "," RIGHT "+" at_a "(%10)\nlwr %" b "," RIGHT "+" at_b "(%10)\n"
static __attribute__((noinline)) int load_ten(const unsigned char *p) {
  unsigned v[10];
  __asm__ volatile(AS_WRITTEN TWO("0", "1", "0", "4") TWO("2", "3", "8", "12") TWO("4", "5", "16", "20")
                       TWO("6", "7", "24", "28") TWO("8", "9", "32", "36") END
                   : "=&r"(v[0]), "=&r"(v[1]), "=&r"(v[2]), "=&r"(v[3]), "=&r"(v[4]), "=&r"(v[5]), "=&r"(v[6]), "=&r"(v[7]),
                     "=&r"(v[8]), "=&r"(v[9])
                   : "r"(p)
                   : "memory");
  return memcmp(v, p, sizeof v);
}

/* What is not a pair: something looks at the register, or the address changes, between the halves; or the halves are of two words. */
static __attribute__((noinline)) unsigned no_pairs(const void *p, unsigned *seen) {
  unsigned a = PRESET, b = PRESET, c = PRESET;
  const void *moving = p;
  __asm__ volatile(AS_WRITTEN "lwl %0," LEFT "(%5)\nmove %3,%0\nlwr %0," RIGHT "(%5)\n"
                              "lwl %1," LEFT "(%4)\naddiu %4,%4,4\nlwr %1," RIGHT "-4(%4)\n"
                              "lwl %2," LEFT "(%5)\nlwr %2," RIGHT "+4(%5)\n" END
                   : "+&r"(a), "+&r"(b), "+&r"(c), "=&r"(*seen), "+&r"(moving)
                   : "r"(p)
                   : "memory");
  return a ^ (b * 3) ^ (c * 5);
}

static unsigned by_bytes(const void *p) {
  unsigned v;
  memcpy(&v, p, sizeof v);
  return v;
}

static void into_the_hole(const char *name, unsigned char *edge, int right_first) {
  static const char bytes[] = {0x51, 0x52, 0x53, 0x54};
  for (int missing = 1; missing <= 3; missing++) {
    unsigned char *p = edge - 4 + missing;
    memset(edge - 8, 0xee, 8);
    memcpy(p, bytes, 4 - missing);
    unsigned before = by_bytes(edge - 4);
    int sig = sigsetjmp(env, 1);
    if (sig == 0) {
      if (strcmp(name, "load") == 0) (right_first ? load_right_left : load_left_right)(p);
      else (right_first ? store_right_left : store_left_right)(p, 0xa1a2a3a4);
      printf("no signal\n");
      continue;
    }
    /* The half that needs the second page comes first, or the other one has been executed by then. */
    int done = right_first == LEFT_FIRST_FAULTS;
    int changed = strcmp(name, "load") == 0 ? left_in_register != PRESET : by_bytes(edge - 4) != before;
    printf("%s, %d bytes missing: signal %d, %s\n", name, missing, sig, changed == done ? "as it should be" : "WRONG");
  }
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  unsigned char *memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 3 * PAGE; i++) memory[i] = (unsigned char)(i * 37 + (i >> 8));

  unsigned wrong = 0, seen = 0;
  for (int round = 0; round < ROUNDS; round++) {
    unsigned char *p = memory + PAGE - 16 + round % 32, *q = memory + 64 + (round * 7) % (PAGE - 80);
    unsigned at_p = by_bytes(p), at_q = by_bytes(q);
    wrong += load_left_right(p) != at_p;
    wrong += load_right_left(p) != at_p;
    wrong += load_apart(p) != at_p;
    wrong += load_two(p, q) != at_p * 31 + at_q;
    wrong += load_ten(p - 16) != 0;
    unsigned results = no_pairs(p, &seen);
    unsigned mixed = PRESET;
    __asm__ volatile(AS_WRITTEN "lwl %0," LEFT "(%1)\n" END "nop\nnop\n" : "+r"(mixed) : "r"(p));
    wrong += seen != mixed;
    __asm__ volatile(AS_WRITTEN "lwr %0," RIGHT "+4(%1)\n" END "nop\nnop\n" : "+r"(mixed) : "r"(p));
    wrong += results != (at_p ^ (at_p * 3) ^ (mixed * 5));
    store_left_right(q, at_p + round);
    wrong += by_bytes(q) != at_p + round;
    store_right_left(p, at_q ^ round);
    wrong += by_bytes(p) != (at_q ^ round);
  }
  printf("%u wrong\n", wrong);

  mprotect(memory + PAGE, PAGE, PROT_NONE);
  for (int right_first = 0; right_first < 2; right_first++) {
    into_the_hole("load", memory + PAGE, right_first);
    into_the_hole("store", memory + PAGE, right_first);
  }
  int signals = 0;
  for (int before = 0; before < 44; before++)
    if (sigsetjmp(env, 1) == 0) load_ten(memory + PAGE - before);
    else signals++;
  printf("ten loads: %d signals\n", signals);
  return 0;
}
