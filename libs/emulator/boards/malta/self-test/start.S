/* Entry, exception handlers and what C cannot say. MIPS32 release 1, so that every CPU model of the board runs it. */
#include "self-test.h"

        .set    noreorder
        .set    noat
        .section .text.start, "ax"
        .globl  _start
_start: la      $sp, stack_top
        la      $t0, bss_start
        la      $t1, bss_end
1:      sw      $zero, 0($t0)
        addiu   $t0, $t0, 4
        sltu    $t2, $t0, $t1
        bnez    $t2, 1b
         nop
        mtc0    $zero, CP0_CAUSE
        mtc0    $zero, CP0_STATUS               /* kernel mode, vectors in RAM, interrupts off */
        sll     $zero, $zero, 3                 /* ehb */
        jal     main
         nop
2:      b       2b
         nop

        .text
/* Copied to the TLB refill vector: loads the pair that the test prepared. */
        .globl  refill_vector
        .globl  refill_vector_end
refill_vector:
        la      $k0, exception
        lw      $k1, EXC_REFILLS($k0)
        addiu   $k1, $k1, 1
        sw      $k1, EXC_REFILLS($k0)
        lw      $k1, EXC_ENTRYLO0($k0)
        mtc0    $k1, CP0_ENTRYLO0
        lw      $k1, EXC_ENTRYLO1($k0)
        mtc0    $k1, CP0_ENTRYLO1
        sll     $zero, $zero, 3
        tlbwr
        eret
refill_vector_end:

/* Copied to the general exception vector. */
        .globl  general_vector
        .globl  general_vector_end
general_vector:
        la      $k0, handle_exception
        jr      $k0
         nop
general_vector_end:

/* Notes what happened. Goes on where the test said, else behind the instruction; after an interrupt with interrupts
   off. */
handle_exception:
        la      $k0, exception
        mfc0    $k1, CP0_CAUSE
        sw      $k1, EXC_CAUSE($k0)
        mfc0    $k1, CP0_EPC
        sw      $k1, EXC_EPC($k0)
        mfc0    $k1, CP0_BADVADDR
        sw      $k1, EXC_BADVADDR($k0)
        lw      $k1, EXC_COUNT($k0)
        addiu   $k1, $k1, 1
        sw      $k1, EXC_COUNT($k0)
        lw      $k1, EXC_CAUSE($k0)
        andi    $k1, $k1, 0x7c
        bnez    $k1, 1f
         nop
        mfc0    $k1, CP0_STATUS
        ori     $k1, $k1, 1
        xori    $k1, $k1, 1
        mtc0    $k1, CP0_STATUS
1:      lw      $k1, EXC_RESUME($k0)
        bnez    $k1, 2f
         nop
        lw      $k1, EXC_EPC($k0)
        addiu   $k1, $k1, 4
2:      mtc0    $k1, CP0_EPC
        sll     $zero, $zero, 3
        eret

/* unsigned cause_*(...): raise one exception each; the instruction under test is skipped. */
        .globl  raise_syscall
raise_syscall:
        syscall
        jr      $ra
         nop
        .globl  raise_break
raise_break:
        break
        jr      $ra
         nop
        .globl  raise_trap
raise_trap:
        teq     $zero, $zero
        jr      $ra
         nop
        .globl  raise_overflow
raise_overflow:
        lui     $v0, 0x7fff
        ori     $v0, $v0, 0xffff
        li      $v1, 1
        add     $a0, $v0, $v1
        jr      $ra
         nop
        .globl  raise_reserved
raise_reserved:
        .word   0xec000000                      /* SPECIAL3's neighbour, major opcode 0x3b: reserved */
        jr      $ra
         nop
/* The exception happens in a delay slot: EPC names the branch. */
        .globl  raise_in_delay_slot
        .globl  delay_slot_branch
raise_in_delay_slot:
delay_slot_branch:
        b       1f
         syscall
        nop
1:      jr      $ra
         nop

/* int branches(void): every branch once taken and once not; returns the number of right decisions, BRANCH_DECISIONS. */
        .globl  branches
branches:
        move    $t9, $ra
        li      $v0, 0
        li      $t0, -1
        li      $t1, 1
#define TAKEN(insn...)          insn, 9f; addiu $v0, $v0, 1; addiu $v0, $v0, 100; 9:
#define NOT_TAKEN(insn...)      insn, 9f; addiu $v0, $v0, 1; addiu $v0, $v0, 1; 9:
        TAKEN(beq $t0, $t0)
        NOT_TAKEN(beq $t0, $t1)
        TAKEN(bne $t0, $t1)
        NOT_TAKEN(bne $t0, $t0)
        TAKEN(blez $zero)
        NOT_TAKEN(blez $t1)
        TAKEN(bgtz $t1)
        NOT_TAKEN(bgtz $t0)
        TAKEN(bltz $t0)
        NOT_TAKEN(bltz $zero)
        TAKEN(bgez $zero)
        NOT_TAKEN(bgez $t0)
        bltzal  $t1, 8f                         /* links even when not taken */
         addiu  $v0, $v0, 1
7:      la      $t2, 7b
        bne     $ra, $t2, 8f
         nop
        addiu   $v0, $v0, 1
8:      jr      $t9
         nop

/* unsigned likely(unsigned taken): the delay slot of a likely branch runs only when it is taken. */
        .globl  likely
likely: li      $v0, 0
        bnezl   $a0, 1f
         addiu  $v0, $v0, 1
        addiu   $v0, $v0, 0x10
1:      jr      $ra
         nop

/* unsigned store_conditional(volatile unsigned *p, unsigned value): LL, SC; returns SC's verdict. */
        .globl  store_conditional
store_conditional:
        ll      $t0, 0($a0)
        move    $v0, $a1
        sc      $v0, 0($a0)
        jr      $ra
         nop

/* unsigned store_after_eret(volatile unsigned *p, unsigned value): an exception between LL and SC breaks the link. */
        .globl  store_after_exception
store_after_exception:
        ll      $t0, 0($a0)
        syscall
        move    $v0, $a1
        sc      $v0, 0($a0)
        jr      $ra
         nop

/* unsigned unaligned_load(const void *p); void unaligned_store(void *p, unsigned value) */
        .globl  unaligned_load
unaligned_load:
#ifdef __MIPSEB__
        lwl     $v0, 0($a0)
        lwr     $v0, 3($a0)
#else
        lwr     $v0, 0($a0)
        lwl     $v0, 3($a0)
#endif
        jr      $ra
         nop
        .globl  unaligned_store
unaligned_store:
#ifdef __MIPSEB__
        swl     $a1, 0($a0)
        swr     $a1, 3($a0)
#else
        swr     $a1, 0($a0)
        swl     $a1, 3($a0)
#endif
        jr      $ra
         nop

/* void tlb_write_indexed(index, entryhi, lo0, lo1) */
        .globl  tlb_write_indexed
tlb_write_indexed:
        mtc0    $a0, CP0_INDEX
        mtc0    $a1, CP0_ENTRYHI
        mtc0    $a2, CP0_ENTRYLO0
        mtc0    $a3, CP0_ENTRYLO1
        mtc0    $zero, CP0_PAGEMASK
        sll     $zero, $zero, 3
        tlbwi
        sll     $zero, $zero, 3
        jr      $ra
         nop
/* int tlb_probe(entryhi): the index, negative when there is none. Reads the entry back into EntryLo. */
        .globl  tlb_probe
tlb_probe:
        mtc0    $a0, CP0_ENTRYHI
        sll     $zero, $zero, 3
        tlbp
        sll     $zero, $zero, 3
        mfc0    $v0, CP0_INDEX
        bltz    $v0, 1f
         nop
        tlbr
        sll     $zero, $zero, 3
1:      jr      $ra
         nop

/* void sleep_until_interrupt(unsigned mask): waits with one interrupt enabled. Wherever it strikes, before or in the
   wait, the handler goes on behind it. */
        .globl  sleep_until_interrupt
sleep_until_interrupt:
        la      $t1, exception
        la      $t2, 1f
        sw      $t2, EXC_RESUME($t1)
        ori     $t0, $a0, 1
        mtc0    $t0, CP0_STATUS
        sll     $zero, $zero, 3
2:      wait
        b       2b
         nop
1:      sw      $zero, EXC_RESUME($t1)
        mtc0    $zero, CP0_STATUS
        sll     $zero, $zero, 3
        jr      $ra
         nop

/* void flush_code(void *start, unsigned bytes): data cache to memory, instruction cache forgets. */
        .globl  flush_code
flush_code:
        addu    $a1, $a0, $a1
1:      cache   0x15, 0($a0)
        cache   0x10, 0($a0)
        addiu   $a0, $a0, 16
        sltu    $t0, $a0, $a1
        bnez    $t0, 1b
         nop
        sync
        jr      $ra
         nop

/* unsigned fpu(unsigned out[4]): (1 + 2) * 3 / 4 and sqrt(2) in double precision, truncation to an integer. */
        .globl  fpu
fpu:    .set    push
        .set    hardfloat
        lui     $t0, 0x2000
        mtc0    $t0, CP0_STATUS                 /* CU1, 16 double registers */
        sll     $zero, $zero, 3
        ctc1    $zero, $31
        li      $t0, 1
        li      $t1, 2
        li      $t2, 3
        li      $t3, 4
        mtc1    $t0, $f0
        mtc1    $t1, $f2
        mtc1    $t2, $f4
        mtc1    $t3, $f6
        cvt.d.w $f0, $f0
        cvt.d.w $f2, $f2
        cvt.d.w $f4, $f4
        cvt.d.w $f6, $f6
        add.d   $f8, $f0, $f2
        mul.d   $f8, $f8, $f4
        div.d   $f8, $f8, $f6                   /* 2.25 */
        mfc1    $t0, $f9
        sw      $t0, 0($a0)
        sqrt.d  $f10, $f2
        mfc1    $t0, $f11
        sw      $t0, 4($a0)
        mfc1    $t0, $f10
        sw      $t0, 8($a0)
        trunc.w.d $f12, $f8
        mfc1    $t0, $f12
        sw      $t0, 12($a0)
        cfc1    $v0, $31
        mtc0    $zero, CP0_STATUS
        sll     $zero, $zero, 3
        jr      $ra
         nop
        .set    pop
