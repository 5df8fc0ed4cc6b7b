/* Synchronous exceptions, delay slots at page boundaries, nesting, exception bases, interrupts, timer. */
#include "guest.h"

struct named_case {
  u32 entry;
  const char *name;
};
extern const struct named_case kernel_cases[], kernel_cases_end[];
extern u8 interrupt_by_status[], interrupt_by_ei[], interrupt_by_cause[], interrupt_by_eret[], interrupt_in_slot[],
    interrupt_in_slot_not_taken[], interrupt_after_exl[], wait_for_timer[], count_until_timer[], nested_break[], syscall_in_slot[];

static u8 pages[6][0x1000] __attribute__((aligned(0x2000)));
static u64 buffer[4];

#define BEQ_TAKEN 0x10000002   /* beq $zero, $zero, +2 words behind the slot */
#define BNE_NOT_TAKEN 0x15090002 /* bne $t0, $t1, both 0x77 */
#define BEQL_NOT_TAKEN 0x51000002 /* beql $t0, $zero with $t0 = 0x77 */
#define JR_RA 0x03e00008
#define SYSCALL 0x0000000c
#define NOP 0
#define LI_V0(n) (0x24020000 | (n))
#define LI_T0(n) (0x24080000 | (n))
#define LI_T1(n) (0x24090000 | (n))
#define LW_V0 0x8c820000 /* lw $v0, 0($a0) */

#define PAGE_AT 0x00400000

/* Four pages of user space from 0x00400000 show pages[0..3], as far as the flags say so. */
static void map_pages(u32 f0, u32 f1, u32 f2, u32 f3) {
  u32 physical = PHYSICAL(pages);
  write_tlb(0, PAGE_AT, ENTRY_LO(physical, f0), ENTRY_LO(physical + 0x1000, f1), 0);
  write_tlb(1, PAGE_AT + 0x2000, ENTRY_LO(physical + 0x2000, f2), ENTRY_LO(physical + 0x3000, f3), 0);
}

static void unmap_second_pair(void) { write_tlb(1, 0x90000000, 0, 0, 0); }

/* `branch` as the last word of page 1, its slot the first word of page 2. */
static void branch_at_page_end(const char *name, u32 branch, u32 slot) {
  u32 *last = (u32 *)(pages[1] + 0xff0), *next = (u32 *)pages[2];
  last[0] = LI_T0(0x77);
  last[1] = LI_V0(1);
  last[2] = LI_T1(0x77);
  last[3] = branch;
  next[0] = slot;
  next[1] = LI_V0(2);
  next[2] = JR_RA;
  next[3] = NOP;
  synchronize_code(last, 0x20);
  try_and_report(name, PAGE_AT + 0x1ff0, (u32)buffer);
}

static u32 refills;
/* Maps the second pair as Linux does: the refill handler writes the entry, the branch runs again. */
static u32 refill_second_pair(volatile struct record *at) {
  refills++;
  u32 physical = PHYSICAL(pages);
  report("  refill", PAGE_AT + 0x1ff0);
  write_tlb(1, PAGE_AT + 0x2000, ENTRY_LO(physical + 0x2000, VALID), ENTRY_LO(physical + 0x3000, VALID), 0);
  if (refills > 3)
    hook = 0;
  return at->epc;
}

static void page_boundaries(void) {
  static const struct {
    const char *name;
    u32 word;
  } branches[] = {{"taken", BEQ_TAKEN}, {"not_taken", BNE_NOT_TAKEN}, {"likely_not_taken", BEQL_NOT_TAKEN}, {"jr", JR_RA}};
  for (u32 i = 0; i < sizeof branches / sizeof branches[0]; i++) {
    u32 word = branches[i].word;
    print("branch in the last word of a page, ");
    print(branches[i].name);
    print("\n");
    map_pages(VALID, VALID, VALID, VALID);
    branch_at_page_end(" slot raises", word, SYSCALL);
    branch_at_page_end(" slot loads unaligned", word, LW_V0 | 2);
    if (word == BEQL_NOT_TAKEN)
      continue; /* whether a slot that is not executed is fetched is the implementation's choice */
    map_pages(VALID, VALID, 0, VALID);
    branch_at_page_end(" slot's page invalid", word, LI_V0(4));
    map_pages(VALID, VALID, VALID, VALID);
    unmap_second_pair();
    branch_at_page_end(" slot's page missing", word, LI_V0(4));
    refills = 0;
    unmap_second_pair();
    hook = refill_second_pair;
    branch_at_page_end(" slot's page comes", word, 0x24420040); /* addiu $v0, $v0, 0x40 */
    hook = 0;
    field("refills", refills);
    print("\n");
  }
  /* Straight on into a page that is not there, and into one that is. */
  u32 *last = (u32 *)(pages[1] + 0xff8);
  last[0] = LI_V0(5);
  last[1] = NOP;
  map_pages(VALID, VALID, VALID, VALID);
  ((u32 *)pages[2])[0] = JR_RA;
  ((u32 *)pages[2])[1] = LI_V0(6);
  synchronize_code(pages, sizeof pages);
  try_and_report("straight into the next page", PAGE_AT + 0x1ff8, 0);
  unmap_second_pair();
  try_and_report("straight into a missing page", PAGE_AT + 0x1ff8, 0);
}

static void tlb_exceptions(void) {
  map_pages(VALID | DIRTY, VALID, 0, DIRTY);
  WRITE_CP0(4, 0, 0xff800000);
  WRITE_CP0(10, 0, 0x5a);
  map_pages(VALID | DIRTY | GLOBAL, VALID | GLOBAL, GLOBAL, DIRTY | GLOBAL);
  *(u32 *)pages[0] = 0x1234;
  *(u32 *)pages[1] = 0x5678;
  try_and_report("tlb load", (u32)load_word, PAGE_AT);
  try_and_report("tlb store", (u32)store_word, PAGE_AT + 8);
  try_and_report("tlb load read-only", (u32)load_word, PAGE_AT + 0x1000);
  try_and_report("tlb modified", (u32)store_word, PAGE_AT + 0x1234);
  try_and_report("tlb invalid load", (u32)load_word, PAGE_AT + 0x2010);
  try_and_report("tlb invalid store", (u32)store_word, PAGE_AT + 0x2020);
  try_and_report("tlb invalid dirty load", (u32)load_word, PAGE_AT + 0x3ffc);
  try_and_report("tlb invalid dirty store", (u32)store_word, PAGE_AT + 0x3ffc);
  try_and_report("tlb invalid fetch", (u32)jump_to, PAGE_AT + 0x2040);
  try_and_report("tlb refill load", (u32)load_word, 0x7ffff124);
  try_and_report("tlb refill store", (u32)store_word, 0x12345678);
  try_and_report("tlb refill fetch", (u32)jump_to, 0x00001000);
  try_and_report("tlb refill kseg2", (u32)load_word, 0xc0000ffc);
  try_and_report("tlb refill kseg3", (u32)store_word, 0xffffe000);
  WRITE_CP0(4, 0, 0);
  WRITE_CP0(10, 0, 0);
}

/* ---- nesting ---- */

static u32 nest(volatile struct record *at) {
  report(" outer", (u32)syscall_in_slot);
  hook = 0;
  return at->epc;
}
static u32 nest_break(volatile struct record *at) {
  nest(at);
  ((void (*)(void))nested_break)();
  return 0;
}
static u32 nest_refill(volatile struct record *at) {
  nest(at);
  load_word(0x00001004);
  return 0;
}
static u32 nest_misaligned(volatile struct record *at) {
  nest(at);
  load_word(0x80000002);
  return 0;
}

static void nesting(void) {
  exception_hook *const hooks[] = {nest_break, nest_refill, nest_misaligned};
  for (u32 i = 0; i < 3; i++) {
    hook = hooks[i];
    try_and_report("an exception inside an exception keeps EPC and BD", (u32)syscall_in_slot, 0);
  }
  hook = 0;
}

static void exception_base(void) {
  u32 base = (u32)pages[0] & ~0xfff;
  install_vectors(base, 0x1000, 0x20);
  WRITE_CP0(12, 0, READ_CP0(12, 0) | STATUS_BEV);
  WRITE_CP0(15, 1, base);
  field("ebase", READ_CP0(15, 1) - base);
  WRITE_CP0(12, 0, READ_CP0(12, 0) & ~STATUS_BEV);
  try_and_report(" general at EBase", (u32)nested_break, 0);
  try_and_report(" refill at EBase", (u32)load_word, 0x00001004);
  WRITE_CP0(12, 0, READ_CP0(12, 0) | STATUS_BEV);
  WRITE_CP0(15, 1, 0xffffffff);
  field("ebase", READ_CP0(15, 1));
  WRITE_CP0(15, 1, 0x80000000);
  WRITE_CP0(12, 0, READ_CP0(12, 0) & ~STATUS_BEV);
  try_and_report(" general at reset's base", (u32)nested_break, 0);
}

/* ERL: kuseg shows physical memory, eret goes to ErrorEPC and clears ERL alone. */
static void error_level(void) {
  extern u8 under_error_level[], return_from_error[];
  buffer[0] = 0x1122334455667788;
  try_and_report("kuseg under ERL is physical", (u32)under_error_level, PHYSICAL(buffer));
  try_and_report("eret under ERL", (u32)return_from_error, 0);
}

/* ---- interrupts ---- */

static u32 interrupt_base, interrupts;
#define SOFTWARE_0 0x100
#define SOFTWARE_1 0x200
#define TIMER 0x8000

static u32 note_interrupt(volatile struct record *at) {
  u32 lines = at->cause & at->status & (SOFTWARE_0 | SOFTWARE_1 | TIMER);
  report("  interrupt", interrupt_base);
  field("lines", lines);
  print("\n");
  interrupts++;
  if (lines & TIMER)
    WRITE_CP0(11, 0, READ_CP0(9, 0) - 1); /* far away */
  else
    WRITE_CP0(13, 0, READ_CP0(13, 0) & ~(lines & SOFTWARE_1 ? SOFTWARE_1 : SOFTWARE_0));
  return at->epc;
}

static void try_interrupt(const char *name, u8 *entry) {
  interrupt_base = (u32)entry;
  record.v0 = 0;
  try_and_report(name, (u32)entry, (u32)buffer);
  WRITE_CP0(13, 0, READ_CP0(13, 0) & ~(SOFTWARE_0 | SOFTWARE_1));
}

static void software_interrupts(void) {
  hook = note_interrupt;
  try_interrupt("interrupt by mtc0 Cause", interrupt_by_cause);
  try_interrupt("interrupt by mtc0 Status", interrupt_by_status);
  try_interrupt("interrupt by ei", interrupt_by_ei);
  try_interrupt("interrupt by eret", interrupt_by_eret);
  try_interrupt("interrupt in a delay slot", interrupt_in_slot);
  try_interrupt("interrupt in the slot of a branch not taken", interrupt_in_slot_not_taken);
  try_interrupt("interrupt waits for EXL", interrupt_after_exl);
  static const u32 spacings[] = {0, 0x20, 0x40, 0x80, 0x100, 0x200};
  for (u32 iv = 0; iv < 2; iv++) {
    for (u32 i = 0; i < sizeof spacings / sizeof spacings[0]; i++) {
      install_vectors(0x80000000, 0, spacings[i]);
      WRITE_CP0(13, 0, iv ? CAUSE_IV : 0);
      WRITE_CP0(12, 1, spacings[i]);
      field("IV", READ_CP0(13, 0) >> 23 & 1);
      field("VS", READ_CP0(12, 1) & 0x3e0);
      print("\n");
      for (u32 lines = SOFTWARE_0; lines <= (SOFTWARE_0 | SOFTWARE_1); lines += SOFTWARE_0) {
        interrupts = 0;
        interrupt_base = 0;
        WRITE_CP0(13, 0, READ_CP0(13, 0) | lines);
        interrupt_base = (u32)interrupt_by_status;
        attempt((u32)interrupt_by_status, 0);
        field("lines", lines);
        field("taken", interrupts);
        print("\n");
      }
    }
  }
  /* Exceptions stay at their vectors while interrupts have theirs. */
  hook = 0;
  try_and_report("break with vectored interrupts", (u32)nested_break, 0);
  WRITE_CP0(13, 0, 0);
  WRITE_CP0(12, 1, 0);
  install_vectors(0x80000000, 0, 0);
  print("masked:");
  WRITE_CP0(13, 0, SOFTWARE_0 | SOFTWARE_1);
  WRITE_CP0(12, 0, STATUS_IE);
  WRITE_CP0(12, 0, STATUS_IE | STATUS_EXL | 0x300);
  WRITE_CP0(12, 0, STATUS_IE | STATUS_ERL | 0x300);
  WRITE_CP0(12, 0, 0x300);
  field("pending", READ_CP0(13, 0) & 0x300);
  WRITE_CP0(13, 0, 0);
  WRITE_CP0(12, 0, 0);
  field("none", READ_CP0(13, 0) & 0x300);
  print("\n");
}

#define TICKS 4000000

static void timer(void) {
  WRITE_CP0(11, 0, READ_CP0(9, 0) - 1);
  field("TI before", READ_CP0(13, 0) >> 30 & 1);
  WRITE_CP0(9, 0, 1000);
  u32 before = READ_CP0(9, 0), after = READ_CP0(9, 0);
  field("Count runs from what was written", before >= 1000 && before < 0x10000000 && after >= before);
  u32 compare = READ_CP0(9, 0) + TICKS;
  WRITE_CP0(11, 0, compare);
  while (!(READ_CP0(13, 0) & CAUSE_TI)) {
  }
  u32 late = READ_CP0(9, 0) - compare;
  field("TI at Compare", late < 0x10000000);
  field("IP7", READ_CP0(13, 0) >> 15 & 1);
  field("Compare", READ_CP0(11, 0) == compare);
  WRITE_CP0(11, 0, READ_CP0(9, 0) - 1);
  field("cleared: TI", READ_CP0(13, 0) >> 30 & 1);
  field("IP7", READ_CP0(13, 0) >> 15 & 1);
  print("\n");

  hook = note_interrupt;
  interrupt_base = (u32)wait_for_timer;
  WRITE_CP0(11, 0, READ_CP0(9, 0) + 10 * TICKS);
  try_and_report("wait until the timer", (u32)wait_for_timer, 0);
  hook = 0;

  WRITE_CP0(13, 0, CAUSE_DC);
  before = READ_CP0(9, 0);
  for (u32 i = 0; i < 1000; i++)
    __asm__ volatile("");
  field("stopped by DC", READ_CP0(9, 0) == before);
  WRITE_CP0(9, 0, 0x12345678);
  field("written while stopped", READ_CP0(9, 0));
  WRITE_CP0(13, 0, 0);
  before = READ_CP0(9, 0);
  field("goes on from there", before >= 0x12345678 && before < 0x22345678);
  print("\n");
}

void test_main(void) {
  for (const struct named_case *at = kernel_cases; at < kernel_cases_end; at++)
    try_and_report(at->name, at->entry, (u32)buffer);
  tlb_exceptions();
  page_boundaries();
  nesting();
  exception_base();
  error_level();
  software_interrupts();
  timer();
}
