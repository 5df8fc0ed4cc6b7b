/* The TLB and what depends on it: page sizes, TLB instructions, ASIDs, user and supervisor mode, LL and SC. */
#include "guest.h"

struct named_case {
  u32 entry;
  const char *name;
};
extern const struct named_case user_cases[], enabled_cases[], user_cases_end[]; /* the last are for Status.CU0 too */
extern u8 user_start[], ll_sc[], ll_sc_after_syscall[], ll_sc_sc[];

#define USER_CODE 0x00400000
#define USER_DATA 0x00401000
/* QEMU's 24K has a TLB of 16 entries, ours one of 64: both have these. */
#define COMMON_ENTRIES 16

static u32 data[0x400] __attribute__((aligned(0x1000)));

/* 64 MiB of RAM from 0: a word per 4 KiB page between 16 and 48 MiB tells its address. */
#define ARENA 0x01000000
#define ARENA_END 0x03000000

static void page_sizes(void) {
  for (u32 at = ARENA; at < ARENA_END; at += 0x1000)
    *(volatile u32 *)UNCACHED(at + 0x10) = at;
  for (u32 mask = 0, size = 0x1000; size <= 0x1000000; mask = mask << 2 | 0x6000, size <<= 2) {
    u32 pair = size * 2, at = 0x10000000;
    /* The halves in exchanged order, the second one read-only. */
    u32 even = ARENA + (size > 0x800000 ? 0 : size), odd = ARENA;
    write_tlb(3, at, ENTRY_LO(even, VALID | DIRTY), ENTRY_LO(odd, VALID), mask);
    print("page size");
    field("bytes", size);
    field("first", load_word(at + 0x10));
    field("end of first", load_word(at + size - 0x1000 + 0x10));
    field("second", load_word(at + size + 0x10));
    field("end", load_word(at + pair - 0x1000 + 0x10));
    *(volatile u32 *)(at + size - 0xffc) = size;
    field("stored", *(volatile u32 *)UNCACHED(even + size - 0xffc));
    WRITE_CP0(0, 0, 3);
    TLB(tlbr);
    field("mask", READ_CP0(5, 0));
    field("hi", READ_CP0(10, 0));
    field("lo0", READ_CP0(2, 0));
    field("lo1", READ_CP0(3, 0));
    WRITE_CP0(10, 0, at + size);
    TLB(tlbp);
    field("probe", READ_CP0(0, 0));
    WRITE_CP0(10, 0, 0);
    print("\n");
    try_and_report(" store to the second", (u32)store_word, at + size);
    try_and_report(" behind the pair", (u32)load_word, at + pair + 0x10);
    try_and_report(" before the pair", (u32)load_word, at - 4);
  }
  write_tlb(3, 0x80006000, 0, 0, 0);
}

static void instructions(void) {
  print("tlbp without a match:");
  WRITE_CP0(10, 0, 0x00700000);
  TLB(tlbp);
  field("P", READ_CP0(0, 0) >> 31);
  write_tlb(9, 0x00700000 | 5, ENTRY_LO(0x100000, VALID), 0, 0);
  WRITE_CP0(10, 0, 0x00700000);
  TLB(tlbp);
  field("other ASID", READ_CP0(0, 0) >> 31);
  WRITE_CP0(10, 0, 0x00701005);
  TLB(tlbp);
  field("match", READ_CP0(0, 0));
  print("\ntlbr:");
  static const struct {
    u32 hi, lo0, lo1, mask;
  } entries[] = {
      {0x12344000 | 0x7b, ENTRY_LO(0x00123000, VALID | GLOBAL), ENTRY_LO(0x00456000, DIRTY), 0},
      {0x12344000 | 0x7b, ENTRY_LO(0x00123000, VALID), ENTRY_LO(0x00456000, DIRTY | GLOBAL), 0},
      {0xc0000000 | 0xff, ENTRY_LO(0x00123000, VALID | GLOBAL), ENTRY_LO(0x00456000, GLOBAL), 0},
      {0x7ffe0000, ENTRY_LO(0x00110000, VALID | DIRTY) ^ 1 << 3, ENTRY_LO(0x00450000, VALID) ^ 5 << 3, 0x1e000},
  };
  for (u32 i = 0; i < sizeof entries / sizeof entries[0]; i++) {
    write_tlb(COMMON_ENTRIES - 1, entries[i].hi, entries[i].lo0, entries[i].lo1, entries[i].mask);
    WRITE_CP0(0, 0, COMMON_ENTRIES - 1);
    WRITE_CP0(5, 0, 0);
    WRITE_CP0(2, 0, 0);
    WRITE_CP0(3, 0, 0);
    TLB(tlbr);
    field("\n hi", READ_CP0(10, 0));
    field("lo0", READ_CP0(2, 0));
    field("lo1", READ_CP0(3, 0));
    field("mask", READ_CP0(5, 0));
  }
  WRITE_CP0(5, 0, 0);
  WRITE_CP0(10, 0, 0);
  print("\nregisters:");
  WRITE_CP0(2, 0, 0x3fffffff);
  field("EntryLo0", READ_CP0(2, 0) & 0x03ffffff);
  WRITE_CP0(10, 0, 0xffffffff);
  field("EntryHi", READ_CP0(10, 0));
  WRITE_CP0(10, 0, 0);
  WRITE_CP0(5, 0, 0x1fffe000);
  field("PageMask", READ_CP0(5, 0));
  WRITE_CP0(5, 0, 0);
  WRITE_CP0(6, 0, 5);
  field("Wired", READ_CP0(6, 0));
  print("\n");
}

/* Random stays between Wired and the last entry, and reaches every one of them. */
static void random_entries(void) {
  empty_tlb();
  u32 last = tlb_entries() - 1;
  for (u32 wired = 0; wired <= 12; wired += 4) {
    WRITE_CP0(6, 0, wired);
    u32 inside = 1, seen_first = 0, seen_last = 0, kept = 1;
    for (u32 i = 0; i < wired; i++)
      write_tlb(i, 0xd0000000 + i * 0x2000, 0, 0, 0);
    for (u32 i = 0; i < 4 * (last + 1) + 200; i++) {
      u32 at = 0x20000000 + i * 0x2000;
      if (i % 10 == 0) { /* a CPU may step Random with every look at it */
        u32 random = READ_CP0(1, 0);
        inside &= random >= wired && random <= last;
      }
      WRITE_CP0(10, 0, at);
      WRITE_CP0(2, 0, ENTRY_LO(0x100000, VALID));
      WRITE_CP0(3, 0, ENTRY_LO(0x100000, VALID));
      TLB(tlbwr);
      TLB(tlbp);
      u32 index = READ_CP0(0, 0);
      inside &= index >= wired && index <= last;
      seen_first |= index == wired;
      seen_last |= index == last;
    }
    for (u32 i = 0; i < wired; i++) {
      WRITE_CP0(10, 0, 0xd0000000 + i * 0x2000);
      TLB(tlbp);
      kept &= READ_CP0(0, 0) == i;
    }
    print("tlbwr");
    field("wired", wired);
    field("inside", inside);
    field("first", seen_first);
    field("last", seen_last);
    field("wired entries kept", kept);
    print("\n");
  }
  WRITE_CP0(6, 0, 0);
  WRITE_CP0(10, 0, 0);
  empty_tlb();
}

static void address_spaces(void) {
  u32 a = ARENA, b = ARENA + 0x2000;
  write_tlb(4, 0x00500000 | 1, ENTRY_LO(a, VALID | DIRTY), ENTRY_LO(a + 0x1000, VALID | DIRTY), 0);
  write_tlb(5, 0x00500000 | 2, ENTRY_LO(b, VALID | DIRTY), ENTRY_LO(b + 0x1000, VALID), 0);
  write_tlb(6, 0x00600000 | 1, ENTRY_LO(b, VALID | GLOBAL), ENTRY_LO(a, VALID | GLOBAL), 0);
  write_tlb(7, 0x00604000 | 1, ENTRY_LO(b, VALID | GLOBAL), ENTRY_LO(a, VALID), 0);
  for (u32 asid = 1; asid <= 3; asid++) {
    WRITE_CP0(10, 0, asid);
    print("address space");
    field("asid", asid);
    print("\n");
    try_and_report(" own page", (u32)load_word, 0x00500010);
    try_and_report(" own page, store", (u32)store_word, 0x00501018);
    try_and_report(" global page", (u32)load_word, 0x00600010);
    try_and_report(" other global page", (u32)load_word, 0x00601010);
    try_and_report(" page with one G bit", (u32)load_word, 0x00604010);
  }
  WRITE_CP0(10, 0, 1);
  field("before", load_word(0x00500010));
  /* Entries replaced and moved under a translation in use. */
  write_tlb(4, 0x00500000 | 1, ENTRY_LO(b, VALID), ENTRY_LO(a, VALID), 0);
  field("replaced", load_word(0x00500010));
  write_tlb(4, 0x00502000 | 1, ENTRY_LO(a, VALID), ENTRY_LO(a, VALID), 0);
  print("\n");
  try_and_report("moved away", (u32)load_word, 0x00500010);
  try_and_report("moved here", (u32)load_word, 0x00502010);
  WRITE_CP0(10, 0, 0);
  empty_tlb();
}

/* ---- user and supervisor mode ---- */

static void user_case(const char *name, u32 label, u32 status) {
  entry_status = status;
  data[0] = 0x1234;
  user_pc = USER_CODE + (label - (u32)user_start);
  if (attempt((u32)enter_user, USER_DATA))
    report(name, user_pc);
  else
    print("returned from user mode\n");
}

static void map_user(u32 data_flags) {
  write_tlb(0, USER_CODE, ENTRY_LO(PHYSICAL(user_start), VALID | GLOBAL), ENTRY_LO(PHYSICAL(data), data_flags | GLOBAL), 0);
}

static void cases(const char *title, const struct named_case *first, u32 status) {
  print(title);
  print("\n");
  for (const struct named_case *at = first; at < user_cases_end; at++)
    user_case(at->name, at->entry, status);
}

static void user_mode(void) {
  map_user(VALID | DIRTY);
  WRITE_CP0(7, 0, 0);
  cases("user mode, nothing enabled", user_cases, STATUS_USER);
  WRITE_CP0(7, 0, 0xf);
  field("HWREna", READ_CP0(7, 0));
  cases("\nuser mode, hardware registers and coprocessor 0 enabled", enabled_cases, STATUS_USER | STATUS_CU0);
  WRITE_CP0(7, 0, 0);
  map_user(VALID);
  cases("user mode, data page read-only", user_cases, STATUS_USER);
  map_user(0);
  cases("user mode, data page invalid", user_cases, STATUS_USER);
  map_user(VALID | DIRTY);
  write_tlb(1, 0xc0000000, ENTRY_LO(PHYSICAL(data), VALID | DIRTY | GLOBAL), ENTRY_LO(PHYSICAL(data), VALID | GLOBAL), 0);
  cases("user mode, kseg2 mapped", user_cases, STATUS_USER);
  cases("supervisor mode, kseg2 mapped", user_cases, STATUS_SUPERVISOR);
  print("kernel mode\n");
  try_and_report(" kseg2 load", (u32)load_word, 0xc0000000);
  try_and_report(" kseg2 store", (u32)store_word, 0xc0001000);
  empty_tlb();
}

static u32 skip(volatile struct record *at) { return at->epc + 4; }

static void atomics(void) {
  data[0] = 0x10;
  try_and_report("ll sc", (u32)ll_sc, (u32)data);
  try_and_report("ll sc sc", (u32)ll_sc_sc, (u32)data);
  hook = skip;
  try_and_report("eret between ll and sc", (u32)ll_sc_after_syscall, (u32)data);
  hook = 0;
  try_and_report("ll sc", (u32)ll_sc, (u32)data);
}

void test_main(void) {
  instructions();
  page_sizes();
  random_entries();
  address_spaces();
  user_mode();
  atomics();
}
