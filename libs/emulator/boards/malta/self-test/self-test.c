/*
 * Health check of the Malta board: CPU, memory, timers, interrupts, serial ports, PCI. Prints a line per check and a
 * verdict on the first serial port, then switches the board off.
 * Sources: MIPS32 Architecture for Programmers volumes II and III; Malta User's Manual (MD00048); the data sheets of
 * GT-64120A, 82371AB, 8259A, 8254, 16550 and MC146818.
 */
#include "self-test.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define MMIO8(address) (*(volatile u8 *)(address))
#define MMIO16(address) (*(volatile u16 *)(address))
#define MMIO32(address) (*(volatile u32 *)(address))
#define IO 0xb8000000u
#define GT 0xbbe00000u
#define FPGA 0xbf000000u

#define READ_CP0(register, select) \
  ({ u32 value_; __asm__ volatile("mfc0 %0, " register ", " #select : "=r"(value_)); value_; })
#define WRITE_CP0(register, select, value) \
  __asm__ volatile("mtc0 %0, " register ", " #select "\n\tsll $0, $0, 3" : : "r"(value))

struct {
  u32 cause, epc, badvaddr, count, resume, refills, entrylo0, entrylo1;
} volatile exception;

extern u8 refill_vector[], refill_vector_end[], general_vector[], general_vector_end[], delay_slot_branch[];
void raise_syscall(void), raise_break(void), raise_trap(void), raise_overflow(void), raise_reserved(void);
void raise_in_delay_slot(void);
u32 branches(void), likely(u32 taken), store_conditional(volatile u32 *p, u32 value);
u32 store_after_exception(volatile u32 *p, u32 value), unaligned_load(const void *p), fpu(u32 *out);
void unaligned_store(void *p, u32 value), flush_code(void *start, u32 bytes), sleep_until_interrupt(u32 mask);
void tlb_write_indexed(u32 index, u32 entryhi, u32 lo0, u32 lo1);
int tlb_probe(u32 entryhi);

/* Serial port */

#define UART0 0x3f8
#define UART1 0x2f8
enum { DATA, IER, FCR, LCR, MCR, LSR };

static void outb(u32 port, u8 value) { MMIO8(IO + port) = value; }
static u8 inb(u32 port) { return MMIO8(IO + port); }

static void serial_setup(u32 port)
{
  outb(port + LCR, 0x83);
  outb(port + 0, 1); /* 115200 baud */
  outb(port + 1, 0);
  outb(port + LCR, 0x03);
  outb(port + FCR, 0x07);
  outb(port + IER, 0);
  outb(port + MCR, 0x0b);
}

static void put(char c)
{
  while (!(inb(UART0 + LSR) & 0x20))
    ;
  outb(UART0 + DATA, c);
}

static void print(const char *text)
{
  for (; *text; text++) {
    if (*text == '\n') put('\r');
    put(*text);
  }
}

static void print_number(u32 value, u32 base)
{
  char digits[12];
  int n = 0;
  do digits[n++] = "0123456789abcdef"[value % base];
  while (value /= base);
  while (n) put(digits[--n]);
}

/* Bookkeeping */

static u32 failures, failed_here;

static void expect(u32 number, u32 actual, u32 wanted)
{
  if (actual == wanted) return;
  if (!failed_here++) {
    print("step ");
    print_number(number, 10);
    print(": got 0x");
    print_number(actual, 16);
    print(", expected 0x");
    print_number(wanted, 16);
    print(" ");
  }
}

static void display(const char *text)
{
  for (int i = 0; i < 8; i++) MMIO32(FPGA + 0x418 + 8 * i) = *text ? *text++ : ' ';
}

static void run(const char *name, void (*check)(void))
{
  int width = 0;
  failed_here = 0;
  for (const char *c = name; *c; c++, width++) put(*c);
  for (; width < 12; width++) put(' ');
  check();
  print(failed_here ? "FAIL\n" : "ok\n");
  failures += failed_here != 0;
}

/* CPU. Operands go through memory, so that the compiler cannot know the results. */

static volatile u32 a = 0x89abcdefu, b = 0x12345678u, shift = 13, small = 7, zero = 0;

static void check_alu(void)
{
  u32 x, y;
  expect(1, a + b, 0x9be02467u);
  expect(2, a - b, 0x77777777u);
  expect(3, (a & b) ^ (a | b), 0x9b9f9b97u);
  expect(4, ~(a | b), 0x64402000u);
  expect(5, a << shift, 0x79bde000u);
  expect(6, a >> shift, 0x00044d5eu);
  expect(7, (u32)((int)a >> shift), 0xfffc4d5eu);
  expect(8, (int)a < (int)b, 1);
  expect(9, a < b, 0);
  __asm__("clz %0, %1" : "=r"(x) : "r"(b));
  __asm__("clo %0, %1" : "=r"(y) : "r"(a));
  expect(10, x, 3);
  expect(11, y, 1);
  __asm__("movz %0, %1, %2" : "+r"(x) : "r"(b), "r"(zero));
  expect(12, x, b);
  __asm__("movn %0, %1, %2" : "+r"(x) : "r"(a), "r"(zero));
  expect(13, x, b);
}

static void check_multiply(void)
{
  u32 high, low;
  u32 x = a, y = b, z = small;
  __asm__("multu %2, %3\n\tmfhi %0\n\tmflo %1" : "=&r"(high), "=&r"(low) : "r"(x), "r"(y) : "hi", "lo");
  expect(1, high, 0x09ca39e0u);
  expect(2, low, 0xe242d208u);
  __asm__("mult %2, %3\n\tmadd %4, %4\n\tmfhi %0\n\tmflo %1" : "=&r"(high), "=&r"(low) : "r"(x), "r"(y), "r"(z) : "hi", "lo");
  expect(3, high, 0xf795e368u);
  expect(4, low, 0xe242d239u);
  __asm__("mul %0, %1, %2" : "=r"(low) : "r"(x), "r"(y) : "hi", "lo");
  expect(5, low, 0xe242d208u);
  expect(6, x / y, 7);
  expect(7, x % y, 0x0a3d70a7u);
  expect(8, (u32)((int)x / (int)y), 0xfffffffau);
  expect(9, (u32)((int)x % (int)y), 0xf6e5d4bfu);
}

static u8 bytes[8] = { 0x80, 0x91, 0xa2, 0xb3, 0xc4, 0xd5, 0xe6, 0xf7 };

static void check_memory_access(void)
{
  volatile u8 *p = bytes;
#ifdef __MIPSEB__
  expect(1, *(volatile u32 *)p, 0x8091a2b3u);
  expect(2, *(volatile u16 *)(p + 2), 0xa2b3u);
  expect(3, unaligned_load(bytes + 1), 0x91a2b3c4u);
#else
  expect(1, *(volatile u32 *)p, 0xb3a29180u);
  expect(2, *(volatile u16 *)(p + 2), 0xb3a2u);
  expect(3, unaligned_load(bytes + 1), 0xc4b3a291u);
#endif
  expect(4, (u32)(int)*(volatile signed char *)p, 0xffffff80u);
  expect(5, p[7], 0xf7);
  unaligned_store(bytes + 3, unaligned_load(bytes + 1));
  expect(6, p[3] << 8 | p[6], 0x91c4);
  expect(7, p[2] << 8 | p[7], 0xa2f7);
  volatile u32 word = 5;
  expect(8, store_conditional(&word, 9), 1);
  expect(9, word, 9);
  expect(10, store_after_exception(&word, 11), 0);
  expect(11, word, 9);
}

static void check_branches(void)
{
  expect(1, branches(), BRANCH_DECISIONS);
  expect(2, likely(1), 1);
  expect(3, likely(0), 0x10);
}

static u32 code(void) { return exception.cause >> 2 & 0x1f; }

static void check_exceptions(void)
{
  static volatile u32 word = 0x1234;
  u32 before = exception.count;
  raise_syscall();
  expect(1, code(), 8);
  expect(2, exception.epc, (u32)raise_syscall);
  raise_break();
  expect(3, code(), 9);
  raise_reserved();
  expect(4, code(), 10);
  raise_overflow();
  expect(5, code(), 12);
  raise_trap();
  expect(6, code(), 13);
  __asm__ volatile("lw $2, 1(%0)" : : "r"(&word) : "$2");
  expect(7, code(), 4);
  expect(8, exception.badvaddr, (u32)&word + 1);
  __asm__ volatile("sh $0, 1(%0)" : : "r"(&word));
  expect(9, code(), 5);
  exception.resume = (u32)delay_slot_branch + 12;
  raise_in_delay_slot();
  exception.resume = 0;
  expect(10, exception.cause >> 31, 1);
  expect(11, exception.epc, (u32)delay_slot_branch);
  expect(12, exception.count - before, 8);
  expect(13, word, 0x1234);
}

static u32 pages[3 * 1024] __attribute__((aligned(4096)));

static void check_tlb(void)
{
  enum { VALID = 2, DIRTY = 4, GLOBAL = 1, CACHED = 3 << 3 };
  u32 entries = (READ_CP0("$16", 1) >> 25 & 0x3f) + 1;
  u32 frame = ((u32)pages & 0x1fffffffu) >> 12;
  volatile u32 *mapped = (volatile u32 *)0x00400000u, *second = (volatile u32 *)0x00401000u;
  WRITE_CP0("$6", 0, 0);
  for (u32 i = 0; i < entries; i++) tlb_write_indexed(i, 0x80000000u + (i << 13), 0, 0);
  exception.entrylo0 = frame << 6 | CACHED | DIRTY | VALID | GLOBAL;
  exception.entrylo1 = (frame + 1) << 6 | CACHED | VALID | GLOBAL;
  exception.refills = 0;
  mapped[3] = 0xfeedf00du;
  expect(1, exception.refills, 1);
  expect(2, pages[3], 0xfeedf00du);
  pages[1024 + 5] = 0x5eed;
  expect(3, second[5], 0x5eed);
  expect(4, exception.refills, 1);
  second[5] = 1; /* clean page: TLB modified */
  expect(5, code(), 1);
  expect(6, exception.badvaddr, (u32)&second[5]);
  expect(7, pages[1024 + 5], 0x5eed);
  int index = tlb_probe(0x00400000u);
  expect(8, index >= 0 && index < (int)entries, 1);
  expect(9, READ_CP0("$2", 0), exception.entrylo0);
  tlb_write_indexed(index, 0x00400000u, 0, 0);
  (void)mapped[0]; /* matches, but is invalid */
  expect(10, code(), 2);
  expect(11, exception.refills, 1);
  tlb_write_indexed(index, 0x80000000u + (index << 13), 0, 0);
  expect(12, (u32)tlb_probe(0x00400000u) >> 31, 1);
}

static void check_fpu(void)
{
  u32 out[4];
  if (!(READ_CP0("$16", 1) & 1)) {
    print("(none) ");
    return;
  }
  expect(1, fpu(out) >> 2 & 0x1f, 1); /* the square root was inexact */
  expect(2, out[0], 0x40020000u);
  expect(3, out[1], 0x3ff6a09eu);
  expect(4, out[2], 0x667f3bcdu);
  expect(5, out[3], 2);
}

static void check_ram(void)
{
  volatile u32 *ram = (volatile u32 *)0x80200000u, *uncached = (volatile u32 *)0xa0200000u;
  u32 words = 0x100000 / 4;
  for (u32 bit = 0; bit < 32; bit++) {
    ram[bit] = 1u << bit;
    expect(1, ram[bit], 1u << bit);
  }
  for (u32 i = 0; i < words; i++) ram[i] = i * 0x9e3779b9u;
  for (u32 i = 0; i < words; i++) expect(2, ram[i], i * 0x9e3779b9u);
  for (u32 i = words; i-- > 0;) ram[i] = ~(u32)&ram[i];
  for (u32 i = 0; i < words; i++) expect(3, ram[i], ~(u32)&ram[i]);
  flush_code((void *)ram, 64);
  expect(4, uncached[1], ~(u32)&ram[1]);
}

/* Chip set */

#ifdef __MIPSEB__
static u32 swap(u32 x) { return x << 24 | (x & 0xff00) << 8 | (x >> 8 & 0xff00) | x >> 24; }
static u32 gt_read(u32 offset) { return swap(MMIO32(GT + offset)); }
static void gt_write(u32 offset, u32 value) { MMIO32(GT + offset) = swap(value); }
#define SWAP_BITS 0
#else
static u32 gt_read(u32 offset) { return MMIO32(GT + offset); }
static void gt_write(u32 offset, u32 value) { MMIO32(GT + offset) = value; }
#define SWAP_BITS 0x10001
#endif

static void config_select(u32 device, u32 function, u32 offset)
{
  gt_write(0xcf8, 0x80000000u | device << 11 | function << 8 | (offset & 0xfc));
}
static u32 config_read(u32 device, u32 function, u32 offset)
{
  config_select(device, function, offset);
  return device ? MMIO32(GT + 0xcfc) : gt_read(0xcfc);
}
static void config_write(u32 device, u32 function, u32 offset, u32 value)
{
  config_select(device, function, offset);
  MMIO32(GT + 0xcfc) = value;
}

static void check_pci(void)
{
  gt_write(0xc00, SWAP_BITS);
  expect(1, config_read(0, 0, 0), 0x462011abu);
  expect(2, config_read(10, 0, 0), 0x71108086u);
  expect(3, config_read(10, 1, 0), 0x71118086u);
  expect(4, config_read(10, 3, 0), 0x71138086u);
  expect(5, MMIO32(0xbfc00010u) >> 10 & 0x3f, 1); /* CoreLV */
}

static void pic_setup(void)
{
  static const u16 sequence[] = { 0x2011, 0x2100, 0x2104, 0x2101, 0xa011, 0xa108, 0xa102, 0xa101, 0x21ff, 0xa1ff };
  for (u32 i = 0; i < sizeof sequence / 2; i++) outb(sequence[i] >> 8, sequence[i] & 0xff);
}
static void pic_enable(u32 irq) { outb(0x21, 0xff & ~(1u << irq)); }
static void pic_end(void) { outb(0x20, 0x20); pic_enable(8); }

static void check_count(void)
{
  u32 start = READ_CP0("$9", 0), before = exception.count;
  for (u32 i = 0; i < 100; i++) small;
  expect(1, READ_CP0("$9", 0) != start, 1);
  WRITE_CP0("$11", 0, READ_CP0("$9", 0) + 1000000);
  sleep_until_interrupt(0x8000);
  expect(2, exception.count - before, 1);
  expect(3, exception.cause & 0x807c, 0x8000);
  WRITE_CP0("$11", 0, READ_CP0("$9", 0) - 1);
  expect(4, READ_CP0("$13", 0) & 0x8000, 0);
}

/* Waits for an interrupt pin; the CPU's timer ends the wait if the pin stays silent. */
static void wait_for(u32 mask)
{
  WRITE_CP0("$11", 0, READ_CP0("$9", 0) + 0x4000000);
  sleep_until_interrupt(mask | 0x8000);
}

static void check_pit(void)
{
  pic_setup();
  u32 before = exception.count;
  outb(0x43, 0x30); /* counter 0: one shot */
  outb(0x40, 1193 & 0xff); /* 1 ms */
  outb(0x40, 1193 >> 8);
  pic_enable(0);
  wait_for(0x400);
  expect(1, exception.count - before, 1);
  expect(2, exception.cause & 0x47c, 0x400);
  expect(3, gt_read(0xc34) & 0xff, 0);
  pic_end();
  expect(4, READ_CP0("$13", 0) & 0x400, 0);
}

static void check_serial(void)
{
  static const u8 pattern[] = { 0x00, 0x55, 0xaa, 0xff };
  serial_setup(UART1);
  outb(UART1 + MCR, 0x1b); /* loopback */
  for (u32 i = 0; i < sizeof pattern; i++) {
    outb(UART1 + DATA, pattern[i]);
    for (u32 patience = 100000; patience && !(inb(UART1 + LSR) & 1); patience--)
      ;
    expect(1 + i, inb(UART1 + DATA), pattern[i]);
  }
  outb(UART1 + MCR, 0x0b);
}

static void check_serial_interrupt(void)
{
  u32 before = exception.count;
  pic_setup();
  pic_enable(3);
  outb(UART1 + IER, 2); /* transmitter empty */
  wait_for(0x400);
  expect(1, exception.count - before, 1);
  expect(2, gt_read(0xc34) & 0xff, 3);
  expect(3, inb(UART1 + FCR) & 0x0f, 2);
  outb(UART1 + IER, 0);
  pic_end();
}

static void check_clock(void)
{
  outb(0x70, 0x0d);
  expect(1, inb(0x71) & 0x80, 0x80); /* the battery is good */
  outb(0x70, 0x40);
  outb(0x71, 0xa5);
  expect(2, inb(0x71), 0xa5);
}

static void check_display(void)
{
  MMIO32(FPGA + 0x408) = 0xa5;
  expect(1, MMIO32(FPGA + 0x408) & 0xff, 0xa5);
}

static void power_off(void)
{
  config_write(10, 3, 0x40, 0x1001);
  config_write(10, 3, 0x80, config_read(10, 3, 0x80) | 1);
  config_write(10, 3, 0x04, 1);
#ifdef __MIPSEB__
  MMIO16(IO + 0x1004) = 0x0020;
#else
  MMIO16(IO + 0x1004) = 0x2000; /* suspend now, soft off */
#endif
  for (volatile u32 i = 0; i < 1000000; i++)
    ;
  MMIO32(FPGA + 0x500) = 0x42;
}

static void copy_vector(u32 at, const u8 *start, const u8 *end)
{
  u8 *to = (u8 *)at;
  for (const u8 *from = start; from < end;) *to++ = *from++;
  flush_code((void *)at, end - start);
}

int main(void)
{
  serial_setup(UART0);
  copy_vector(0x80000000u, refill_vector, refill_vector_end);
  copy_vector(0x80000180u, general_vector, general_vector_end);
  display("SELFTEST");
  print("\nMalta self-test, CPU ");
  print_number(READ_CP0("$15", 0), 16);
#ifdef __MIPSEB__
  print(", big-endian\n");
#else
  print(", little-endian\n");
#endif
  run("alu", check_alu);
  run("multiply", check_multiply);
  run("branches", check_branches);
  run("memory", check_memory_access);
  run("exceptions", check_exceptions);
  run("tlb", check_tlb);
  run("fpu", check_fpu);
  run("ram", check_ram);
  run("pci", check_pci);
  run("count", check_count);
  run("i8254", check_pit);
  run("uart", check_serial);
  run("uart irq", check_serial_interrupt);
  run("rtc", check_clock);
  run("display", check_display);
  if (failures) {
    print("SELFTEST: FAIL ");
    print_number(failures, 10);
    print("\n");
    display("FAIL");
  } else {
    print("SELFTEST: PASS\n");
    display("PASS");
  }
  power_off();
  return 0;
}
