/*
 * Times FPU instructions under QEMU's user-mode emulation: a line "name nanoseconds" for each, on operands around 1.
 * A Linux program with the C library; the time is the host's.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define OPERANDS 1024
#define ROUNDS 1000000

static double x[OPERANDS], y[OPERANDS];
static float xs[OPERANDS], ys[OPERANDS];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static void fill(void) {
  uint64_t state = 88172645463325252ull;
  for (int i = 0; i < 2 * OPERANDS; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    uint64_t bits = state & 0x800fffffffffffffull;
    bits |= (uint64_t)(0x3f8 + (state >> 52 & 15)) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    (i & 1 ? y : x)[i >> 1] = value;
    (i & 1 ? ys : xs)[i >> 1] = (float)value;
  }
}

#define TIME(name, instruction, type, a, b)                                                                            \
  do {                                                                                                                 \
    double start = now();                                                                                              \
    for (int i = 0; i < ROUNDS; i++) {                                                                                 \
      type result;                                                                                                     \
      __asm__ volatile(instruction : "=&f"(result) : "f"(a[i & (OPERANDS - 1)]), "f"(b[i & (OPERANDS - 1)]));          \
    }                                                                                                                  \
    printf(name " %.2f\n", (now() - start) / ROUNDS);                                                                  \
  } while (0)

int main(void) {
  fill();
  TIME("add.d", "add.d %0, %1, %2", double, x, y);
  TIME("mul.d", "mul.d %0, %1, %2", double, x, y);
  TIME("div.d", "div.d %0, %1, %2", double, x, y);
  TIME("sqrt.d", "abs.d %0, %1\n sqrt.d %0, %0", double, x, y);
  TIME("madd.d", "madd.d %0, %1, %2, %1", double, x, y);
  TIME("c.lt.d", "c.lt.d %1, %2\n mov.d %0, %1", double, x, y);
  TIME("cvt.s.d", "cvt.s.d %0, %1", double, x, y);
  TIME("trunc.w.d", "trunc.w.d %0, %1", double, x, y);
  TIME("add.s", "add.s %0, %1, %2", float, xs, ys);
  TIME("mul.s", "mul.s %0, %1, %2", float, xs, ys);
  TIME("div.s", "div.s %0, %1, %2", float, xs, ys);
  return 0;
}
