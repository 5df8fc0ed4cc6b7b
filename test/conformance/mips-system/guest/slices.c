/*
 * A bit of everything whose moment matters: console output, timer interrupts in the middle of loops with delay slots,
 * wait, TLB misses, exceptions. Cut into slices of any length it must do the same at the same times.
 */
#include "guest.h"

static u32 page[0x400] __attribute__((aligned(0x1000)));
static volatile u32 ticks, checksum;

static u32 tick(volatile struct record *at) {
  u32 code = at->cause >> 2 & 31;
  checksum = checksum * 31 + at->epc + (at->cause >> 31);
  if (code == 0) {
    u32 count = READ_CP0(9, 0);
    checksum = checksum * 31 + count;
    WRITE_CP0(11, 0, count + 997);
    ticks++;
    return at->epc;
  }
  if (code == 2 || code == 3) {
    write_tlb(ticks & 3, at->badvaddr & ~0x1fff, ENTRY_LO(PHYSICAL(page), VALID | DIRTY), ENTRY_LO(PHYSICAL(page), VALID | DIRTY), 0);
    return at->epc;
  }
  return at->epc + 4; /* never in a delay slot here */
}

void test_main(void) {
  hook = tick;
  WRITE_CP0(11, 0, READ_CP0(9, 0) + 500);
  WRITE_CP0(12, 0, 0x8001);
  for (u32 round = 0; round < 6; round++) {
    for (u32 i = 0; i < 40; i++) {
      *(volatile u32 *)(0x00400000 + (i * 0x2008 & 0x1fffc)) += i;
      checksum = checksum * 31 + page[i];
      if (i % 8 == 0)
        __asm__ volatile("syscall" : : : "memory");
    }
    __asm__ volatile("wait" : : : "memory");
    print("round");
    field("ticks", ticks);
    field("checksum", checksum);
    field("count", READ_CP0(9, 0));
    print("\n");
  }
  WRITE_CP0(12, 0, 0);
}
