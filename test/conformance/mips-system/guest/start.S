/* Entry, exception handler, and how C gets into and out of exceptions. Record: struct record in guest.h. */
        .set    noreorder
        .set    noat

        .section .start, "ax"
        .globl  _start
_start: mtc0    $zero, $12              /* kernel mode, vectors in RAM, interrupts off, FPU off */
        mtc0    $zero, $13
        ehb
        la      $sp, stack_top
        jal     program
         nop

        .text
/* $k1: offset of the vector. Everything else is the interrupted program's. */
        .globl  exception_entry
exception_entry:
        la      $k0, record
        sw      $k1, 0($k0)
        mfc0    $k1, $13
        sw      $k1, 4($k0)
        mfc0    $k1, $14
        sw      $k1, 8($k0)
        mfc0    $k1, $8
        sw      $k1, 12($k0)
        mfc0    $k1, $4
        sw      $k1, 16($k0)
        mfc0    $k1, $10
        sw      $k1, 20($k0)
        mfc0    $k1, $12
        sw      $k1, 24($k0)
        sw      $v0, 28($k0)
        lw      $k1, 32($k0)
        addiu   $k1, $k1, 1
        sw      $k1, 32($k0)
        la      $k1, hook
        lw      $k1, 0($k1)
        bnez    $k1, call_hook
         nop
        /* Back to the caller of attempt(), with its Status. */
        la      $k0, attempt_state
        lw      $s0, 0($k0)
        lw      $s1, 4($k0)
        lw      $s2, 8($k0)
        lw      $s3, 12($k0)
        lw      $s4, 16($k0)
        lw      $s5, 20($k0)
        lw      $s6, 24($k0)
        lw      $s7, 28($k0)
        lw      $fp, 32($k0)
        lw      $sp, 36($k0)
        lw      $ra, 40($k0)
        lw      $k1, 44($k0)
        ori     $k1, $k1, 2             /* EXL, which eret clears */
        mtc0    $k1, $12
        mtc0    $ra, $14
        li      $v0, 1
        ehb
        eret

call_hook:
        la      $k0, hook_frame
        sw      $at, 0($k0)
        sw      $v0, 4($k0)
        sw      $v1, 8($k0)
        sw      $a0, 12($k0)
        sw      $a1, 16($k0)
        sw      $a2, 20($k0)
        sw      $a3, 24($k0)
        sw      $t0, 28($k0)
        sw      $t1, 32($k0)
        sw      $t2, 36($k0)
        sw      $t3, 40($k0)
        sw      $t4, 44($k0)
        sw      $t5, 48($k0)
        sw      $t6, 52($k0)
        sw      $t7, 56($k0)
        sw      $t8, 60($k0)
        sw      $t9, 64($k0)
        sw      $ra, 68($k0)
        sw      $sp, 72($k0)
        mfhi    $t0
        sw      $t0, 76($k0)
        mflo    $t0
        sw      $t0, 80($k0)
        la      $sp, exception_stack_top - 32
        la      $a0, record
        jalr    $k1
         nop
        mtc0    $v0, $14
        la      $k0, hook_frame
        lw      $t0, 76($k0)
        mthi    $t0
        lw      $t0, 80($k0)
        mtlo    $t0
        lw      $at, 0($k0)
        lw      $v0, 4($k0)
        lw      $v1, 8($k0)
        lw      $a0, 12($k0)
        lw      $a1, 16($k0)
        lw      $a2, 20($k0)
        lw      $a3, 24($k0)
        lw      $t0, 28($k0)
        lw      $t1, 32($k0)
        lw      $t2, 36($k0)
        lw      $t3, 40($k0)
        lw      $t4, 44($k0)
        lw      $t5, 48($k0)
        lw      $t6, 52($k0)
        lw      $t7, 56($k0)
        lw      $t8, 60($k0)
        lw      $t9, 64($k0)
        lw      $ra, 68($k0)
        lw      $sp, 72($k0)
        ehb
        eret

        .globl  attempt
attempt:
        la      $t0, attempt_state
        sw      $s0, 0($t0)
        sw      $s1, 4($t0)
        sw      $s2, 8($t0)
        sw      $s3, 12($t0)
        sw      $s4, 16($t0)
        sw      $s5, 20($t0)
        sw      $s6, 24($t0)
        sw      $s7, 28($t0)
        sw      $fp, 32($t0)
        sw      $sp, 36($t0)
        sw      $ra, 40($t0)
        mfc0    $t1, $12
        sw      $t1, 44($t0)
        move    $t9, $a0
        move    $a0, $a1
        li      $v0, 0
        jalr    $t9
         addiu  $sp, $sp, -32
        addiu   $sp, $sp, 32
        la      $t0, record
        sw      $v0, 28($t0)
        la      $t0, attempt_state
        lw      $ra, 40($t0)
        lw      $t1, 44($t0)
        mtc0    $t1, $12
        ehb
        jr      $ra
         li     $v0, 0

        /* Goes to user_pc with entry_status; arguments stay where they are. */
        .globl  enter_user
enter_user:
        la      $t0, user_pc
        lw      $t1, 0($t0)
        la      $t0, entry_status
        lw      $t0, 0($t0)
        ori     $t0, $t0, 2
        mtc0    $t0, $12
        mtc0    $t1, $14
        ehb
        eret

        .globl  load_word
load_word:
        lw      $v0, 0($a0)
        jr      $ra
         nop
        .globl  store_word
store_word:
        sw      $a0, 0($a0)
        jr      $ra
         nop
        .globl  jump_to
jump_to:
        jr      $a0
         nop

        .bss
        .balign 8
        .globl  record, hook, user_pc, entry_status
record:         .space 64
hook:           .space 4
user_pc:        .space 4
entry_status:   .space 4
attempt_state:  .space 64
hook_frame:     .space 96
