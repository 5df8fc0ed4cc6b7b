/* Runs the workload between two marks on the console, so that whoever watches can time it without start-up. */
#include "workload.h"

#ifndef ROUNDS
#error "compile with -DROUNDS=<number of rounds>"
#endif

static void put(const char *text) {
  u32 length = 0;
  while (text[length]) length++;
  platform_write(text, length);
}

static void put_hex(u32 value) {
  char digits[8];
  for (int i = 7; i >= 0; i--, value >>= 4) digits[i] = "0123456789abcdef"[value & 15];
  platform_write(digits, sizeof digits);
}

int bench_main(void) {
  u32 wrong = workload_self_check();
  if (wrong) {
    put("BENCH-WRONG self-check ");
    put_hex(wrong);
    put("\n");
    return 1;
  }
  put("BENCH-START\n");
  u32 start = platform_cycles();
  u32 result = workload(ROUNDS);
  u32 cycles = platform_cycles() - start;
  put("BENCH-RESULT ");
  put_hex(result);
  put(" CYCLES ");
  put_hex(cycles);
  put("\nBENCH-DONE\n");
  return 0;
}

/* The compiler may call these for struct copies and array initialisers, even without a C library. */
void *memcpy(void *to, const void *from, unsigned long length) {
  u8 *t = to;
  const u8 *f = from;
  while (length--) *t++ = *f++;
  return to;
}

void *memset(void *to, int value, unsigned long length) {
  u8 *t = to;
  while (length--) *t++ = (u8)value;
  return to;
}
