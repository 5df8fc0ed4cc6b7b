/*
 * Code that changes under the CPU. Every change is made visible as the architecture demands (MD00086, SYNCI: store,
 * synci, sync, jr.hb); what runs afterwards must be the new code.
 */
#include "guest.h"

#define JR_RA 0x03e00008
#define NOP 0
#define LI_V0(n) (0x24020000 | (n))
#define ADDIU_V0(n) (0x24420000 | (n))
#define B_2 0x10000002
#define SYSCALL 0x0000000c

static u32 code[0x1000] __attribute__((aligned(0x4000)));
typedef u32 function(void);
#define CALL(word) (((function *)&code[word])())
#define MAPPED 0x00400000

extern u8 rewrite_ahead[], rewrite_slot[], rewrite_loop[];

static void write_function(u32 at, u32 result) {
  code[at] = JR_RA;
  code[at + 1] = LI_V0(result);
}

static void line(const char *name, u32 value) {
  print(name);
  field("gives", value);
  print("\n");
}

static void same_function(void) {
  u32 sum = 0;
  for (u32 i = 0; i < 100; i++) {
    write_function(0, i);
    synchronize_code(code, 8);
    sum = sum * 3 + CALL(0);
  }
  line("a function rewritten a hundred times", sum);
  write_function(0, 1);
  write_function(0x10, 2);
  synchronize_code(code, 0x80);
  sum = CALL(0) + CALL(0x10);
  write_function(0x10, 3);
  synchronize_code(code, 0x80);
  line("a neighbour in the same page", sum * 16 + CALL(0) + CALL(0x10));
}

static void delay_slot(void) {
  code[0] = LI_V0(1);
  code[1] = B_2;
  code[2] = NOP;
  code[3] = ADDIU_V0(0x100);
  code[4] = JR_RA;
  code[5] = NOP;
  synchronize_code(code, 24);
  u32 before = CALL(0);
  code[2] = ADDIU_V0(0x10);
  synchronize_code(code, 24);
  u32 after = CALL(0);
  code[5] = ADDIU_V0(0x1000);
  synchronize_code(code, 24);
  line("a delay slot", before | after << 8 | CALL(0) << 16);
  /* An instruction becomes a branch, and what was behind it a delay slot. */
  code[1] = NOP;
  synchronize_code(code, 24);
  before = CALL(0);
  code[1] = B_2;
  synchronize_code(code, 24);
  line("an instruction that becomes a branch", before << 16 | CALL(0));
}

static void page_end(void) {
  /* Branch in the last word of a page, slot in the next. */
  u32 last = 0x3ff;
  code[last - 1] = LI_V0(1);
  code[last] = JR_RA;
  code[last + 1] = NOP;
  synchronize_code(&code[last - 1], 16);
  u32 before = CALL(last - 1);
  code[last + 1] = ADDIU_V0(0x20);
  synchronize_code(&code[last - 1], 16);
  u32 after = CALL(last - 1);
  code[last] = NOP;
  code[last + 2] = JR_RA;
  code[last + 3] = ADDIU_V0(0x300);
  synchronize_code(&code[last - 1], 24);
  line("both sides of a page boundary", before | after << 8 | CALL(last - 1) << 16);
}

static void widths(void) {
  write_function(0, 0);
  synchronize_code(code, 8);
  u32 sum = CALL(0);
  u8 *bytes = (u8 *)&code[1];
  u32 low = *(u8 *)&(u32){1} ? 0 : 3; /* where the least significant byte is */
  bytes[low] = 0x12;
  synchronize_code(code, 8);
  sum = sum * 5 + CALL(0);
  ((u16 *)bytes)[low ? 1 : 0] = 0x3456;
  synchronize_code(code, 8);
  sum = sum * 5 + CALL(0);
  u32 word = LI_V0(0x789);
  __asm__ volatile("usw %0, 0(%1)" : : "r"(word), "r"(bytes) : "memory", "$1");
  synchronize_code(code, 8);
  sum = sum * 5 + CALL(0);
  word = LI_V0(0x0abc);
  u32 done;
  __asm__ volatile("ll %0, 0(%1)\n move %0, %2\n sc %0, 0(%1)" : "=&r"(done) : "r"(bytes), "r"(word) : "memory");
  synchronize_code(code, 8);
  sum = sum * 5 + CALL(0) + done;
  WRITE_CP0(12, 0, 0x20000000);
  u32 pair[2] __attribute__((aligned(8))) = {JR_RA, LI_V0(0x0def)};
  __asm__ volatile(".set push\n .set hardfloat\n ldc1 $f0, 0(%0)\n sdc1 $f0, 0(%1)\n .set pop" : : "r"(pair), "r"(code) : "memory");
  WRITE_CP0(12, 0, 0);
  synchronize_code(code, 8);
  line("stores of every width", sum * 5 + CALL(0));
}

static void aliases(void) {
  u32 physical = PHYSICAL(code);
  volatile u32 *uncached = (volatile u32 *)UNCACHED(physical), *mapped = (volatile u32 *)MAPPED;
  function *through_map = (function *)MAPPED;
  write_tlb(0, MAPPED, ENTRY_LO(physical, VALID | DIRTY), ENTRY_LO(physical + 0x1000, VALID), 0);
  write_function(0, 1);
  synchronize_code(code, 8);
  u32 sum = CALL(0) * 16 + through_map();
  uncached[1] = LI_V0(2);
  synchronize_code(code, 8);
  sum = sum * 256 + CALL(0) * 16 + through_map();
  mapped[1] = LI_V0(3);
  synchronize_code(mapped, 8);
  line("kseg0, kseg1 and mapped addresses of one page", sum * 256 + CALL(0) * 16 + through_map());
  /* The same address shows another page. */
  code[0x400] = JR_RA;
  code[0x401] = LI_V0(4);
  synchronize_code(&code[0x400], 8);
  sum = through_map();
  write_tlb(0, MAPPED, ENTRY_LO(physical + 0x1000, VALID), ENTRY_LO(physical, VALID), 0);
  sum = sum * 16 + through_map();
  /* And another address space's page. */
  write_tlb(0, MAPPED | 1, ENTRY_LO(physical, VALID), ENTRY_LO(physical, VALID), 0);
  write_tlb(1, MAPPED | 2, ENTRY_LO(physical + 0x1000, VALID), ENTRY_LO(physical, VALID), 0);
  for (u32 i = 0; i < 4; i++) {
    WRITE_CP0(10, 0, 1 + (i & 1));
    sum = sum * 16 + through_map();
  }
  WRITE_CP0(10, 0, 0);
  line("one address, several pages", sum);
  empty_tlb();
}

static void moved_function(void) {
  static const u32 source[] = {LI_V0(7), 0x24030003, 0x00431021, JR_RA, NOP}; /* li v1, 3; addu v0, v0, v1 */
  u32 sum = 0;
  for (u32 at = 0; at < 0x800; at += 0x55) {
    memcpy(&code[at], source, sizeof source);
    synchronize_code(&code[at], sizeof source);
    sum = sum * 3 + CALL(at);
  }
  line("a function copied from place to place", sum);
  memset(code, 0, sizeof code);
  code[0xffe] = JR_RA;
  synchronize_code(code, sizeof code);
  CALL(0); /* a run of four pages */
  code[0x7ff] = SYSCALL;
  synchronize_code(code, sizeof code);
  try_and_report("a trap put into a long run of code", (u32)code, 0);
}

void test_main(void) {
  same_function();
  delay_slot();
  page_end();
  widths();
  aliases();
  moved_function();
  u32 own[3] = {((function *)rewrite_ahead)(), ((function *)rewrite_slot)(), ((function *)rewrite_loop)()};
  line("code that rewrites what comes next", own[0]);
  line("code that rewrites its own delay slot", own[1]);
  line("a loop that rewrites its body", own[2]);
}
