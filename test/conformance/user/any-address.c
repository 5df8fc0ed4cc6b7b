/* Loads and stores at any address, which the kernel completes for programs: alone and several off one register, in loops, over borders of
 * pages, and into pages that are not there or may not be written; and ll and sc, which it does not complete. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, ROUNDS = 60000 };

static sigjmp_buf env;

static void on_fault(int sig) { siglongjmp(env, sig); }

/* One instruction each, whatever the compiler thinks of alignment. */
#define LOAD(type, name, instruction, constraint)                                         \
  static __attribute__((noinline)) type name(const void *p) {                             \
    type v;                                                                               \
    __asm__ volatile(instruction " %0, 0(%1)" : "=" constraint(v) : "r"(p) : "memory");   \
    return v;                                                                             \
  }
LOAD(uint32_t, load_word, "lw", "r")
LOAD(int32_t, load_half, "lh", "r")
LOAD(uint32_t, load_unsigned_half, "lhu", "r")
LOAD(double, load_double, "ldc1", "f")
LOAD(uint32_t, load_linked, "ll", "r")

#define STORE(type, name, instruction, constraint)                                        \
  static __attribute__((noinline)) void name(void *p, type v) {                           \
    __asm__ volatile(instruction " %0, 0(%1)" : : constraint(v), "r"(p) : "memory");      \
  }
STORE(uint32_t, store_word, "sw", "r")
STORE(uint32_t, store_half, "sh", "r")
STORE(double, store_double, "sdc1", "f")

/* ll at one address, sc at another. */
static __attribute__((noinline)) uint32_t store_conditional(uint32_t *linked, void *p, uint32_t v) {
  uint32_t old;
  __asm__ volatile("ll %0, 0(%2)\nsc %1, 0(%3)" : "=&r"(old), "+r"(v) : "r"(linked), "r"(p) : "memory");
  return v;
}

/* What lies in several places off one register. */
static __attribute__((noinline)) uint32_t load_several(const void *p) {
  uint32_t a, b, c, d;
  __asm__ volatile("lw %0, 8(%4)\nlhu %1, 1(%4)\nlbu %2, 23(%4)\nlw %3, 19(%4)"
                   : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d)
                   : "r"(p)
                   : "memory");
  return a + 3 * b + 5 * c + 7 * d;
}

/* Copies words, of which the compiler believes that they are aligned. */
static __attribute__((noinline)) void copy_words(void *to, const void *from, int count) {
  uint32_t *t = to;
  const uint32_t *f = from;
  for (int i = 0; i < count; i++) {
    __asm__ volatile("" ::: "memory");
    t[i] = f[i];
  }
}

#define BY_BYTES(type, name)                         \
  static type name(const void *p) {                  \
    type v;                                          \
    memcpy(&v, p, sizeof v);                         \
    return v;                                        \
  }
BY_BYTES(uint32_t, word_at)
BY_BYTES(uint16_t, half_at)
BY_BYTES(double, double_at)

static const void *place;
static void word_in(void) { load_word(place); }
static void half_in(void) { load_half(place); }
static void double_in(void) { load_double(place); }
static void several_in(void) { load_several(place); }
static void word_out(void) { store_word((void *)place, 0xa1a2a3a4); }
static void half_out(void) { store_half((void *)place, 0xa1a2); }
static void double_out(void) { store_double((void *)place, -7.25); }
static void linked_in(void) { load_linked(place); }
static void conditional_out(void) {
  static uint32_t linked;
  store_conditional(&linked, (void *)place, 1);
}

/* Says what an access gives, and that it leaves nothing behind if that is a signal. */
static void try_at(const char *name, void (*access)(void), unsigned char *at, unsigned char *area) {
  unsigned char before[32];
  memcpy(before, area, sizeof before);
  place = at;
  int sig = sigsetjmp(env, 1);
  if (sig == 0) access();
  printf("%s: signal %d%s\n", name, sig, sig && memcmp(before, area, sizeof before) ? ", CHANGED" : "");
}

int main(void) {
  struct sigaction action = {.sa_handler = on_fault};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  unsigned char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 4 * PAGE; i++) memory[i] = (unsigned char)(i * 37 + (i >> 8));

  unsigned wrong = 0;
  for (int round = 0; round < ROUNDS; round++) {
    unsigned char *p = memory + PAGE - 32 + round % 64, *q = memory + 2 * PAGE + 64 + (round * 7) % (PAGE - 128);
    wrong += load_word(p) != word_at(p);
    wrong += load_half(p) != (int16_t)half_at(p);
    wrong += load_unsigned_half(q) != half_at(q);
    wrong += load_several(p) != word_at(p + 8) + 3 * half_at(p + 1) + 5 * p[23] + 7 * word_at(p + 19);
    store_word(q, round * 77);
    wrong += word_at(q) != (uint32_t)round * 77;
    store_half(p + 3, round);
    wrong += half_at(p + 3) != (uint16_t)round;
    store_double(p + 1, round + 0.5);
    wrong += double_at(p + 1) != round + 0.5 || load_double(p + 1) != round + 0.5;
    if (round % 16 == 0) {
      copy_words(memory + 3, q, 15);
      wrong += memcmp(memory + 3, q, 60) != 0;
      copy_words(memory + PAGE - 50 + round % 7, memory + 2 * PAGE - 100, 25);
      wrong += memcmp(memory + PAGE - 50 + round % 7, memory + 2 * PAGE - 100, 100) != 0;
    }
    uint32_t cell = round;
    wrong += load_linked(&cell) != (uint32_t)round || store_conditional(&cell, &cell, round + 1) != 1 || cell != round + 1u;
  }
  printf("%u wrong\n", wrong);

  /* The last page before a hole, and one behind which nothing may be written. */
  unsigned char *edge = memory + 3 * PAGE;
  mprotect(edge, PAGE, PROT_NONE);
  printf("at the end: %d %d %d\n", load_word(edge - 4) == word_at(edge - 4), load_word(edge - 7) == word_at(edge - 7),
         load_several(edge - 24) == word_at(edge - 16) + 3 * half_at(edge - 23) + 5 * edge[-1] + 7 * word_at(edge - 5));
  try_at("word into the hole", word_in, edge - 1, edge - 32);
  try_at("half into the hole", half_in, edge - 1, edge - 32);
  try_at("double into the hole", double_in, edge - 5, edge - 32);
  try_at("several into the hole", several_in, edge - 22, edge - 32);
  try_at("word to the hole", word_out, edge - 3, edge - 32);
  try_at("half to the hole", half_out, edge - 1, edge - 32);
  try_at("double to the hole", double_out, edge - 7, edge - 32);
  mprotect(edge, PAGE, PROT_READ);
  try_at("word into a page to read", word_in, edge - 1, edge - 16);
  try_at("word to a page to read", word_out, edge - 1, edge - 16);
  try_at("double to a page to read", double_out, edge - 1, edge - 16);
  try_at("ll", linked_in, memory + 8, memory);
  try_at("ll at an odd address", linked_in, memory + 9, memory);
  try_at("sc", conditional_out, memory + 8, memory);
  try_at("sc at an odd address", conditional_out, memory + 10, memory);
  return 0;
}
