/*
 * Accesses of random widths all over the physical address space, through a wired TLB entry that moves; whatever faults
 * is skipped. HAMMER_SEED makes different programs. It ends when the board resets or somebody stops it.
 */
#include "guest.h"

#define WINDOW 0x00400000

static u32 skip(volatile struct record *at) { return at->epc + (at->cause >> 31 ? 8 : 4); }

void test_main(void) {
  hook = skip;
  extern u8 hammer_accesses[];
  u32 state = HAMMER_SEED;
  for (;;) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    u32 page = state & 0x000fffff;
    /* Half of the time where the devices are: 0x10000000 to 0x1fffffff. Never RAM below 16 MiB, where this runs. */
    if (state & 0x80000000)
      page = 0x10000 | (page & 0xffff);
    if (page < 0x1000 || (page >= 0x80000 && page < 0x81000))
      continue;
    write_tlb(0, WINDOW, page << 6 | 2 << 3 | VALID | DIRTY | GLOBAL, page << 6 | 2 << 3 | VALID | DIRTY | GLOBAL, 0);
    ((void (*)(u32, u32))hammer_accesses)(WINDOW + (state >> 7 & 0xfff), state);
  }
}
