/*
 * Runs FPU instructions on given operands and reports each result with the FCSR it leaves. No C library. Two programs come
 * from this file:
 *
 * - Linux user program: reads struct vector from standard input, writes struct result to standard output.
 * - Bare metal on the Malta board (-DFPU_VECTORS="file", with malta.ld): the file is linked in, a word with the number n of
 *   vectors and a word of padding, n vectors, n expected results. Differences go to the first UART, all results to
 *   `fpu_results`; a board reset ends the run.
 *
 * -mfp32 makes programs for FR = 0, -mfp64 for FR = 1. FCSR: MIPS32 Architecture Vol. I-A (MD00082), "FCSR".
 */
typedef unsigned int u32;
typedef unsigned long long u64;

struct vector {
  u32 operation; /* position in operations.h */
  u32 fcsr;      /* before the instruction */
  u64 operand[3]; /* a 32-bit operand is the first word of its slot in memory */
};

struct result {
  u64 value; /* likewise; 0 where there is none */
  u32 fcsr;
  u32 exception; /* the Cause register's ExcCode if the instruction raised an exception, else 0 */
};

#define CLEAR_S "lwc1 $f0, 0(%2)\n"
#define CLEAR_D "ldc1 $f0, 0(%2)\n"
#define CLEAR_W CLEAR_S
#define CLEAR_L CLEAR_D
#define CLEAR_C ""
#define LOAD_S "lwc1 $f2, 8(%1)\n lwc1 $f4, 16(%1)\n lwc1 $f6, 24(%1)\n"
#define LOAD_D "ldc1 $f2, 8(%1)\n ldc1 $f4, 16(%1)\n ldc1 $f6, 24(%1)\n"
#define LOAD_W LOAD_S
#define LOAD_L LOAD_D
#define STORE_S "swc1 $f0, 0(%2)\n"
#define STORE_D "sdc1 $f0, 0(%2)\n"
#define STORE_W STORE_S
#define STORE_L STORE_D
#define STORE_C ""

#define OPERATION(name, from, instruction, to)                                                                         \
  static void name(const struct vector *vector, struct result *result) {                                               \
    u32 fcsr;                                                                                                          \
    __asm__ volatile(CLEAR_##to LOAD_##from "ctc1 %3, $31\n " instruction "\n cfc1 %0, $31\n ctc1 $0, $31\n" STORE_##to           \
                     : "=&r"(fcsr)                                                                                     \
                     : "r"(vector), "r"(result), "r"(vector->fcsr)                                                     \
                     : "$f0", "$f2", "$f4", "$f6", "memory");                                                          \
    result->fcsr = fcsr;                                                                                               \
  }
#include "operations.h"
#undef OPERATION

typedef void operation_function(const struct vector *, struct result *);

#define OPERATION(name, from, instruction, to) name,
static operation_function *const operations[] = {
#include "operations.h"
};
#undef OPERATION

#define OPERATIONS (sizeof operations / sizeof operations[0])

static void run(const struct vector *vector, struct result *result) {
  result->value = 0;
  result->fcsr = 0xffffffff; /* no such operation in this build */
  result->exception = 0;
  if (vector->operation < OPERATIONS)
    operations[vector->operation](vector, result);
}

#ifdef FPU_VECTORS

#define UART ((volatile unsigned char *)0xb80003f8) /* COM1 of the Super I/O chip, in the PCI I/O window (MD00048) */
#define UART_THR 0
#define UART_LSR 5
#define LSR_THR_EMPTY 0x20
#define SOFTRES (*(volatile u32 *)0xbf000500) /* MD00048, "SOFTRES register" */
#define SOFTRES_GO 0x42
#define MOST_RESULTS 0x100000
#define MOST_LINES 20

extern const u32 fpu_vectors[];
struct result fpu_results[MOST_RESULTS];

#define EXCEPTION_VECTOR ((volatile u32 *)0x80000180) /* general exceptions with Status.BEV = 0 */
#define EXCEPTION_VECTOR_WORDS 4

extern const u32 exception_jump[EXCEPTION_VECTOR_WORDS];
volatile u32 exception_cause; /* the Cause register at the last exception */

/*
 * Status: CU1 (bit 29) makes the FPU usable, FR (bit 26) gives it 64-bit registers; BEV, ERL, EXL and IE are zero. The
 * exception handler notes the cause and goes on behind the instruction, which never stands in a delay slot here.
 */
__asm__(".section .start, \"ax\"\n"
        ".set noreorder\n"
        ".globl _start\n"
        "_start:\n"
#if __mips_fpr == 64
        "  lui   $8, 0x2400\n"
#else
        "  lui   $8, 0x2000\n"
#endif
        "  mtc0  $8, $12\n"
        "  ehb\n"
        "  lui   $29, %hi(stack_top)\n"
        "  addiu $29, $29, %lo(stack_top)\n"
        "  jal   compare_all\n"
        "  nop\n"
        "exception_jump:\n"
        "  lui   $26, %hi(exception_handler)\n"
        "  addiu $26, $26, %lo(exception_handler)\n"
        "  jr    $26\n"
        "  nop\n"
        "exception_handler:\n"
        "  mfc0  $26, $13\n"
        "  lui   $27, %hi(exception_cause)\n"
        "  sw    $26, %lo(exception_cause)($27)\n"
        "  mfc0  $26, $14\n"
        "  addiu $26, $26, 4\n"
        "  mtc0  $26, $14\n"
        "  ehb\n"
        "  eret\n"
        ".set reorder\n"
        ".previous\n"
        ".section .rodata\n"
        ".balign 8\n"
        ".globl fpu_vectors\n"
        "fpu_vectors:\n"
        ".incbin \"" FPU_VECTORS "\"\n"
        ".previous\n");

static void print(const char *text) {
  for (; *text; text++) {
    while (!(UART[UART_LSR] & LSR_THR_EMPTY)) {
    }
    UART[UART_THR] = (unsigned char)*text;
  }
}

static void print_number(u32 number, u32 base, u32 digits) {
  char text[11];
  u32 at = sizeof text - 1;
  text[at] = 0;
  for (; number || digits; number /= base) {
    text[--at] = "0123456789abcdef"[number % base];
    if (digits)
      digits--;
  }
  print(text + at);
}

static void print_result(const struct result *result) {
  const u32 *words = (const u32 *)&result->value;
  print_number(words[0], 16, 8);
  print("_");
  print_number(words[1], 16, 8);
  print(" fcsr ");
  print_number(result->fcsr, 16, 8);
  print(" exception ");
  print_number(result->exception, 10, 1);
}

void compare_all(void) {
  u32 count = fpu_vectors[0], different = 0;
  const struct vector *vectors = (const struct vector *)(fpu_vectors + 2);
  const struct result *expected = (const struct result *)(vectors + count);
  if (count > MOST_RESULTS)
    count = MOST_RESULTS;
  for (u32 i = 0; i < EXCEPTION_VECTOR_WORDS; i++)
    EXCEPTION_VECTOR[i] = exception_jump[i];
  __asm__ volatile("synci 0(%0)\n sync" : : "r"(EXCEPTION_VECTOR) : "memory");
  for (u32 i = 0; i < count; i++) {
    struct result *result = &fpu_results[i];
    exception_cause = 0;
    run(&vectors[i], result);
    result->exception = exception_cause >> 2 & 31;
    if (result->value == expected[i].value && result->fcsr == expected[i].fcsr &&
        result->exception == expected[i].exception)
      continue;
    if (different++ >= MOST_LINES)
      continue;
    print("vector ");
    print_number(i, 10, 1);
    print(": ");
    print_result(result);
    print(", expected ");
    print_result(&expected[i]);
    print("\r\n");
  }
  print("fpu: ");
  print_number(count, 10, 1);
  print(" vectors, ");
  print_number(different, 10, 1);
  print(" differ\r\n");
  SOFTRES = SOFTRES_GO;
  for (;;) {
  }
}

#else

#define BATCH 1024
#define SYS_EXIT 4001
#define SYS_READ 4003
#define SYS_WRITE 4004

static struct vector vectors[BATCH];
static struct result results[BATCH];

/* o32 system call: number in $2, error flag in $7. */
static long system_call(long number, long a, long b, long c) {
  register long v0 __asm__("$2") = number;
  register long a0 __asm__("$4") = a;
  register long a1 __asm__("$5") = b;
  register long a2 __asm__("$6") = c;
  register long a3 __asm__("$7");
  __asm__ volatile("syscall"
                   : "+r"(v0), "=r"(a3)
                   : "r"(a0), "r"(a1), "r"(a2)
                   : "$1", "$3", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$24", "$25", "hi", "lo", "memory");
  return a3 ? -1 : v0;
}

void __start(void) {
  for (;;) {
    u32 filled = 0;
    while (filled < sizeof vectors) {
      long got = system_call(SYS_READ, 0, (long)((char *)vectors + filled), sizeof vectors - filled);
      if (got < 0)
        system_call(SYS_EXIT, 1, 0, 0);
      if (got == 0)
        break;
      filled += got;
    }
    u32 count = filled / sizeof(struct vector);
    if (count == 0)
      system_call(SYS_EXIT, 0, 0, 0);
    for (u32 i = 0; i < count; i++)
      run(&vectors[i], &results[i]);
    for (u32 done = 0; done < count * sizeof(struct result);) {
      long put = system_call(SYS_WRITE, 1, (long)((char *)results + done), count * sizeof(struct result) - done);
      if (put <= 0)
        system_call(SYS_EXIT, 2, 0, 0);
      done += put;
    }
  }
}

#endif
