/* Console, exception vectors, reports. Output goes to the first UART; a board reset ends the run. */
#include "guest.h"

#define UART ((volatile u8 *)0xb80003f8) /* COM1 of the Super I/O chip, in the PCI I/O window */
#define UART_THR 0
#define UART_LSR 5
#define LSR_THR_EMPTY 0x20
#define SOFTRES (*(volatile u32 *)0xbf000500)
#define SOFTRES_GO 0x42

extern u8 exception_entry[];

void print(const char *text) {
  for (; *text; text++) {
    while (!(UART[UART_LSR] & LSR_THR_EMPTY)) {
    }
    UART[UART_THR] = (u8)*text;
  }
}

void print_hex(u32 number) {
  char text[9];
  u32 at = sizeof text - 1;
  text[at] = 0;
  do
    text[--at] = "0123456789abcdef"[number & 15];
  while (number >>= 4);
  print(text + at);
}

void field(const char *name, u32 value) {
  print(" ");
  print(name);
  print(" ");
  print_hex(value);
}

void report(const char *name, u32 base) {
  u32 code = record.cause >> 2 & 31;
  print(name);
  print(":");
  field("vector", record.vector);
  field("code", code);
  if (code == 11)
    field("unit", record.cause >> 28 & 3);
  field("bd", record.cause >> 31);
  field("epc", record.epc - base);
  /* Context and EntryHi are unpredictable after address errors (MD00090, "Address Error Exception"). */
  if (code >= 1 && code <= 5)
    field("badvaddr", record.badvaddr);
  if (code >= 1 && code <= 3) {
    field("context", record.context);
    field("entryhi", record.entryhi);
  }
  field("v0", record.v0);
  print("\n");
}

void try_and_report(const char *name, u32 entry, u32 argument) {
  if (attempt(entry, argument))
    return report(name, entry);
  print(name);
  print(": no exception");
  field("v0", record.v0);
  print("\n");
}

static void install_vector(u32 base, u32 offset, u32 mark) {
  volatile u32 *at = (volatile u32 *)(base + offset);
  u32 handler = (u32)exception_entry;
  at[0] = 0x3c1a0000 | handler >> 16;           /* lui $k0, handler[31:16] */
  at[1] = 0x375a0000 | (handler & 0xffff);      /* ori $k0, $k0, handler[15:0] */
  at[2] = 0x03400008;                           /* jr $k0 */
  at[3] = 0x341b0000 | ((offset + mark) & 0xffff); /* ori $k1, $zero, offset + mark */
}

void install_vectors(u32 base, u32 mark, u32 interrupt_spacing) {
  install_vector(base, 0, mark);
  install_vector(base, 0x180, mark);
  for (u32 line = 0; line < (interrupt_spacing ? 8 : 1); line++)
    install_vector(base, 0x200 + line * interrupt_spacing, mark);
  synchronize_code((void *)base, 0x1200);
}

void synchronize_code(const volatile void *start, u32 bytes) {
  for (u32 at = 0; at < bytes; at += 16)
    __asm__ volatile("synci 0(%0)" : : "r"((const u8 *)start + at) : "memory");
  u32 scratch;
  __asm__ volatile(".set push\n .set noreorder\n sync\n la %0, 1f\n jr.hb %0\n nop\n1:\n .set pop" : "=r"(scratch) : : "memory");
}

u32 tlb_entries(void) { return (READ_CP0(16, 1) >> 25 & 63) + 1; }

void write_tlb(u32 index, u32 entryhi, u32 entrylo0, u32 entrylo1, u32 pagemask) {
  u32 kept = READ_CP0(10, 0);
  WRITE_CP0(0, 0, index);
  WRITE_CP0(5, 0, pagemask);
  WRITE_CP0(10, 0, entryhi);
  WRITE_CP0(2, 0, entrylo0);
  WRITE_CP0(3, 0, entrylo1);
  TLB(tlbwi);
  WRITE_CP0(10, 0, kept);
}

void empty_tlb(void) {
  for (u32 i = 0; i < tlb_entries(); i++)
    write_tlb(i, 0x80000000 + i * 0x2000, 0, 0, 0);
}

void program(void) {
  install_vectors(0x80000000, 0, 0x20);
  WRITE_CP0(6, 0, 0);
  WRITE_CP0(10, 0, 0);
  WRITE_CP0(4, 0, 0);
  empty_tlb();
  test_main();
  print("end of program\n");
  SOFTRES = SOFTRES_GO;
  for (;;) {
  }
}

/* What the compiler may call. */
void *memset(void *start, int value, u32 bytes) {
  for (volatile u8 *at = start; bytes--; at++)
    *at = (u8)value;
  return start;
}
void *memcpy(void *to, const void *from, u32 bytes) {
  const u8 *source = from;
  for (volatile u8 *at = to; bytes--; at++)
    *at = *source++;
  return to;
}
