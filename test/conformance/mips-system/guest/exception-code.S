/* Code that exceptions.c runs under interrupts, nested exceptions and Status.ERL. */
        .set    noreorder
        .set    noat
        .text

        .macro  FUNCTION name
        .balign 64
        .globl  \name
\name:
        .endm

FUNCTION nested_break
        break
        nop
FUNCTION syscall_in_slot
        b       1f
         syscall
        nop
1:      jr      $ra
         nop

FUNCTION under_error_level
        li      $t0, 4
        mtc0    $t0, $12
        ehb
        lw      $v0, 0($a0)
        mtc0    $zero, $12
        ehb
        jr      $ra
         nop
FUNCTION return_from_error
        la      $t0, 1f
        mtc0    $t0, $30
        la      $t0, 2f
        mtc0    $t0, $14
        li      $t0, 6                  /* ERL and EXL */
        mtc0    $t0, $12
        ehb
        eret
        nop
1:      mfc0    $t0, $12                /* ErrorEPC: EXL is still set */
        andi    $v0, $t0, 6
        eret
        nop
2:      mfc0    $t0, $12
        andi    $t0, $t0, 6
        sll     $t0, $t0, 8
        or      $v0, $v0, $t0
        ori     $v0, $v0, 0x10
        jr      $ra
         nop

/* Each sets software interrupt 0 pending and lets it through; $v0 counts instructions that ran since. */
        .macro  PEND
        mfc0    $t0, $13
        ori     $t0, $t0, 0x100
        mtc0    $t0, $13
        ehb
        .endm

FUNCTION interrupt_by_cause
        li      $t0, 0x301
        mtc0    $t0, $12
        ehb
        mfc0    $t0, $13
        ori     $t0, $t0, 0x200
        mtc0    $t0, $13
        ehb
        addiu   $v0, $v0, 1
        jr      $ra
         nop
FUNCTION interrupt_by_status
        mfc0    $t0, $13
        andi    $t0, $t0, 0x300
        bnez    $t0, 1f
         nop
        PEND
1:      li      $t0, 0x301
        mtc0    $t0, $12
        ehb
        addiu   $v0, $v0, 1
        jr      $ra
         nop
FUNCTION interrupt_by_ei
        li      $t0, 0x300
        mtc0    $t0, $12
        ehb
        PEND
        addiu   $v0, $v0, 1
        ei      $t1
        ehb
        addiu   $v0, $v0, 1
        andi    $t1, $t1, 0x301
        sll     $t1, $t1, 8
        or      $v0, $v0, $t1
        di      $t1
        andi    $t1, $t1, 1
        sll     $t1, $t1, 24
        or      $v0, $v0, $t1
        jr      $ra
         nop
FUNCTION interrupt_by_eret
        PEND
        la      $t0, 1f
        mtc0    $t0, $14
        li      $t0, 0x303
        mtc0    $t0, $12
        ehb
        addiu   $v0, $v0, 1
        eret
        addiu   $v0, $v0, 0x100
1:      addiu   $v0, $v0, 0x10
        jr      $ra
         nop
FUNCTION interrupt_in_slot
        li      $t0, 0x301
        mfc0    $t1, $13
        mtc0    $t0, $12
        ori     $t1, $t1, 0x100
        ehb
        b       1f
         mtc0   $t1, $13
        addiu   $v0, $v0, 0x100
1:      addiu   $v0, $v0, 1
        nop
        jr      $ra
         nop
FUNCTION interrupt_in_slot_not_taken
        li      $t0, 0x301
        li      $t2, 0x301
        mfc0    $t1, $13
        mtc0    $t0, $12
        ori     $t1, $t1, 0x100
        ehb
        bne     $t0, $t2, 1f
         mtc0   $t1, $13
        addiu   $v0, $v0, 0x100
1:      addiu   $v0, $v0, 1
        nop
        jr      $ra
         nop
FUNCTION interrupt_after_exl
        li      $t0, 0x303
        mtc0    $t0, $12
        ehb
        PEND
        addiu   $v0, $v0, 1
        addiu   $v0, $v0, 1
        li      $t0, 0x301
        mtc0    $t0, $12
        ehb
        addiu   $v0, $v0, 1
        jr      $ra
         nop
FUNCTION wait_for_timer
        li      $t0, 0x8001
        mtc0    $t0, $12
        ehb
        wait
        addiu   $v0, $v0, 1
        jr      $ra
         nop
