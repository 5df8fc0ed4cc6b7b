/*
 * What the programs share: console, exception records, coprocessor 0. MIPS32 Privileged Resource Architecture (MD00090)
 * for registers and vectors, Malta User's Manual (MD00048) for the board.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

/* What the exception handler in start.S saw; the offsets there follow this. */
struct record {
  u32 vector; /* offset from the exception base, plus what install_vectors added */
  u32 cause, epc, badvaddr, context, entryhi, status;
  u32 v0;    /* at the exception, or the result of a call that raised none */
  u32 count; /* exceptions so far */
};
extern volatile struct record record;

/* Called for each exception while set; returns where to go on. Unset: `attempt` returns. */
typedef u32 exception_hook(volatile struct record *);
extern exception_hook *volatile hook;

/* Calls a function. @return 1 when an exception ended it. Status afterwards is as before. */
int attempt(u32 entry, u32 argument);
/* Goes to user_pc by eret, with these bits of Status; ends only in an exception. */
void enter_user(u32 argument);
extern u32 user_pc, entry_status;
u32 load_word(u32 address);
void store_word(u32 address);
void jump_to(u32 address);

void print(const char *text);
void print_hex(u32 number);
/* `name value` pairs of one line. */
void field(const char *name, u32 value);
/* One line about the last exception; EPC relative to `base`. */
void report(const char *name, u32 base);
/* attempt() and a line about what came of it. */
void try_and_report(const char *name, u32 entry, u32 argument);
void install_vectors(u32 base, u32 mark, u32 interrupt_spacing);
/* Makes stores to code visible to fetches, by the architecture's rules (MD00086, SYNCI). */
void synchronize_code(const volatile void *start, u32 bytes);
void empty_tlb(void);
u32 tlb_entries(void);
void write_tlb(u32 index, u32 entryhi, u32 entrylo0, u32 entrylo1, u32 pagemask);
void *memset(void *start, int value, u32 bytes);
void *memcpy(void *to, const void *from, u32 bytes);
void test_main(void);

#define PHYSICAL(pointer) ((u32)(pointer) & 0x1fffffff)
#define CACHED(physical) ((physical) | 0x80000000)
#define UNCACHED(physical) ((physical) | 0xa0000000)
/* EntryLo of a 4 KiB or larger page: cacheable (C = 3). */
#define ENTRY_LO(physical, flags) ((physical) >> 12 << 6 | 3 << 3 | (flags))
#define GLOBAL 1
#define VALID 2
#define DIRTY 4

#define STATUS_IE 0x1
#define STATUS_EXL 0x2
#define STATUS_ERL 0x4
#define STATUS_SUPERVISOR 0x08
#define STATUS_USER 0x10
#define STATUS_BEV 0x400000
#define STATUS_CU0 0x10000000
#define CAUSE_IV 0x800000
#define CAUSE_DC 0x8000000
#define CAUSE_TI 0x40000000

#define READ_CP0(register, select)                                                                                     \
  ({                                                                                                                   \
    u32 value_;                                                                                                        \
    __asm__ volatile("mfc0 %0, $" #register ", " #select : "=r"(value_));                                              \
    value_;                                                                                                            \
  })
#define WRITE_CP0(register, select, value)                                                                             \
  __asm__ volatile("mtc0 %0, $" #register ", " #select "\n ehb" : : "r"((u32)(value)) : "memory")
#define TLB(operation) __asm__ volatile("ehb\n " #operation "\n ehb" : : : "memory")
