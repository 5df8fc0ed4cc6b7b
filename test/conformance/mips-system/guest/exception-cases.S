/* Synchronous exceptions in kernel mode. MD00090 chapter 5, MD00086 for each instruction's exceptions. */
#include "cases.h"

CASE syscall
        li      $v0, 1
        syscall 0x1234
        li      $v0, 2
        RETURN
CASE break
        break   7
        RETURN
CASE add_overflow
        lui     $v0, 0x7fff
        ori     $v0, 0xffff
        li      $t0, 1
        add     $v0, $v0, $t0
        RETURN
CASE add_negative_overflow
        lui     $v0, 0x8000
        add     $v0, $v0, $v0
        RETURN
CASE addi_overflow
        lui     $v0, 0x8000
        addi    $v0, $v0, -1
        RETURN
CASE sub_overflow
        lui     $v0, 0x8000
        sub     $v0, $zero, $v0
        RETURN
CASE add_without_overflow
        lui     $v0, 0x7fff
        addi    $t0, $zero, -1
        add     $v0, $v0, $t0
        sub     $v0, $v0, $t0
        RETURN
CASE addu_never_traps
        lui     $v0, 0x8000
        addu    $v0, $v0, $v0
        RETURN

CASE teq_taken
        teq     $a0, $a0, 3
        RETURN
CASE teq_not_taken
        teq     $a0, $zero
        RETURN
CASE tne_taken
        tne     $a0, $zero
        RETURN
CASE tne_not_taken
        tne     $a0, $a0
        RETURN
CASE tge_taken
        li      $t0, -5
        tge     $t0, $t0
        RETURN
CASE tge_not_taken
        li      $t0, -5
        tge     $t0, $zero
        RETURN
CASE tgeu_taken
        li      $t0, -5
        tgeu    $t0, $zero
        RETURN
CASE tgeu_not_taken
        li      $t0, -5
        tgeu    $zero, $t0
        RETURN
CASE tlt_taken
        li      $t0, -5
        tlt     $t0, $zero
        RETURN
CASE tlt_not_taken
        li      $t0, -5
        tlt     $zero, $t0
        RETURN
CASE tltu_taken
        li      $t0, -5
        tltu    $zero, $t0
        RETURN
CASE tltu_not_taken
        li      $t0, -5
        tltu    $t0, $zero
        RETURN
CASE teqi_taken
        li      $t0, -5
        teqi    $t0, -5
        RETURN
CASE tnei_taken
        tnei    $zero, -5
        RETURN
CASE tnei_not_taken
        tnei    $zero, 0
        RETURN
CASE tgei_taken
        tgei    $zero, -5
        RETURN
CASE tgeiu_not_taken
        tgeiu   $zero, -5
        RETURN
CASE tlti_taken
        li      $t0, -6
        tlti    $t0, -5
        RETURN
CASE tltiu_taken
        tltiu   $zero, -5
        RETURN

        .macro  RESERVED name, word
CASE reserved_\name
        li      $v0, 1
        .word   \word
        li      $v0, 2
        RETURN
        .endm
        RESERVED special_0e, 0x0000000e
        RESERVED special_28, 0x00000028
        RESERVED daddu, 0x0000002d
        RESERVED dsll, 0x00000038
        RESERVED regimm_04, 0x04040000
        RESERVED regimm_1e, 0x041e0000
        RESERVED daddi, 0x60000000
        RESERVED ldl, 0x68000000
        RESERVED special2_3e, 0x7000003e
        RESERVED special3_3f, 0x7c00003f
        RESERVED lwu, 0x9c800000
        RESERVED ld, 0xdc800000
        RESERVED sd, 0xfc800000
        RESERVED opcode_3b, 0xec000000
        RESERVED rdhwr_7, 0x7c0c383b

        /* Coprocessor 1 while Status.CU1 is clear, coprocessor 2, which the board does not have. */
        .macro  UNUSABLE name, word
CASE unusable_\name
        li      $v0, 1
        .word   \word
        li      $v0, 2
        RETURN
        .endm
        UNUSABLE mfc1, 0x44020000
        UNUSABLE ctc1, 0x44c0f800
        UNUSABLE add_s, 0x46000000
        UNUSABLE bc1t, 0x45010002
        UNUSABLE lwc1, 0xc4800000
        UNUSABLE sdc1, 0xf4800000
        UNUSABLE lwxc1, 0x4c800000
        UNUSABLE movf, 0x00801001
        UNUSABLE lwc2, 0xc8800000
        UNUSABLE swc2, 0xe8800000
        UNUSABLE ldc2, 0xd8800000
CASE unusable_in_slot
        li      $v0, 1
        b       1f
         mfc1   $v0, $f0
1:      RETURN
CASE usable_fpu
        SET_STATUS 0x20000000
        li      $t0, 0x1234
        mtc1    $t0, $f0
        mfc1    $v0, $f0
        RETURN

        .macro  MISALIGNED name, offset, instruction
CASE misaligned_\name\()_\offset
        li      $v0, 0x55
        \instruction $v0, \offset($a0)
        RETURN
        .endm
        MISALIGNED lw, 1, lw
        MISALIGNED lw, 2, lw
        MISALIGNED lw, 3, lw
        MISALIGNED lh, 1, lh
        MISALIGNED lhu, 3, lhu
        MISALIGNED sw, 2, sw
        MISALIGNED sw, 3, sw
        MISALIGNED sh, 1, sh
        MISALIGNED ll, 2, ll
        MISALIGNED lb, 3, lb
        MISALIGNED lwl, 1, lwl
        MISALIGNED swr, 1, swr
CASE misaligned_ldc1
        SET_STATUS 0x20000000
        ldc1    $f0, 4($a0)
        RETURN
CASE misaligned_sdc1
        SET_STATUS 0x20000000
        sdc1    $f0, 4($a0)
        RETURN
CASE misaligned_lwc1
        SET_STATUS 0x20000000
        lwc1    $f0, 2($a0)
        RETURN
CASE misaligned_load_to_zero
        lw      $zero, 2($a0)
        RETURN
CASE misaligned_in_slot
        li      $v0, 1
        b       1f
         lw     $v0, 2($a0)
1:      RETURN
CASE misaligned_in_slot_not_taken
        li      $v0, 1
        li      $t0, 1
        bne     $v0, $t0, 1f
         sw     $v0, 2($a0)
1:      RETURN

        /* Every branch with an exception in its slot: taken, and not taken. */
        .macro  SLOT name, instruction:vararg
CASE slot_\name
        li      $t0, 1
        li      $t1, -1
        la      $t2, 1f
        li      $t3, 1
        \instruction
         syscall
        li      $v0, 2
        nop
1:      RETURN
        .endm
        SLOT b, b 1f
        SLOT beq_taken, beq $t0, $t0, 1f
        SLOT beq_not_taken, beq $t0, $t1, 1f
        SLOT bne_taken, bne $t0, $t1, 1f
        SLOT bne_not_taken, bne $t0, $t3, 1f
        SLOT blez_taken, blez $t1, 1f
        SLOT blez_not_taken, blez $t0, 1f
        SLOT bgtz_taken, bgtz $t0, 1f
        SLOT bgtz_not_taken, bgtz $t1, 1f
        SLOT bltz_taken, bltz $t1, 1f
        SLOT bltz_not_taken, bltz $t0, 1f
        SLOT bgez_taken, bgez $t0, 1f
        SLOT bgez_not_taken, bgez $t1, 1f
        SLOT beql_taken, beql $t0, $t0, 1f
        SLOT beql_not_taken, beql $t0, $t1, 1f
        SLOT bnel_taken, bnel $t0, $t1, 1f
        SLOT bnel_not_taken, bnel $t0, $t3, 1f
        SLOT blezl_not_taken, blezl $t0, 1f
        SLOT bgtzl_taken, bgtzl $t0, 1f
        SLOT bltzl_taken, bltzl $t1, 1f
        SLOT bgezl_not_taken, bgezl $t1, 1f
        SLOT j, j 1f
        SLOT jr, jr $t2
        SLOT jr_hb, jr.hb $t2

        .macro  LINKING_SLOT name, instruction:vararg
CASE slot_\name
        move    $t8, $ra
        li      $t0, 1
        li      $t1, -1
        la      $t2, 1f
        \instruction
         break
        nop
1:      jr      $t8
         nop
        .endm
        LINKING_SLOT jal, jal 1f
        LINKING_SLOT jalr, jalr $v0, $t2
        LINKING_SLOT bgezal_taken, bgezal $t0, 1f
        LINKING_SLOT bgezal_not_taken, bgezal $t1, 1f
        LINKING_SLOT bltzal_not_taken, bltzal $t0, 1f
        LINKING_SLOT bltzall_taken, bltzall $t1, 1f
        LINKING_SLOT bgezall_not_taken, bgezall $t1, 1f

        .macro  FPU_SLOT name, fcsr, instruction:vararg
CASE slot_\name
        SET_STATUS 0x20000000
        li      $t0, \fcsr
        ctc1    $t0, $31
        \instruction
         syscall
        li      $v0, 2
1:      RETURN
        .endm
        FPU_SLOT bc1t_taken, 0x800000, bc1t 1f
        FPU_SLOT bc1t_not_taken, 0, bc1t 1f
        FPU_SLOT bc1f_taken, 0, bc1f 1f
        FPU_SLOT bc1f_not_taken, 0x800000, bc1f 1f
        FPU_SLOT bc1tl_not_taken, 0, bc1tl 1f
        FPU_SLOT bc1t_cc3_taken, 0x08000000, bc1t $fcc3, 1f

CASE slot_second_of_two
        /* The slot of a branch that was not taken, after a slot that was. */
        b       1f
         li     $v0, 1
1:      beq     $v0, $zero, 2f
         li     $v0, 2
        syscall
2:      RETURN
CASE after_branch_not_taken
        bne     $v0, $zero, 1f
         nop
        syscall
1:      RETURN
CASE at_branch_target
        b       1f
         nop
        nop
1:      syscall
        RETURN
CASE at_target_behind_branch
        /* The word before the target is a branch that was not executed. */
        b       1f
         nop
        b       2f
1:       syscall
2:      RETURN
CASE trap_in_slot
        bne     $v0, $zero, 1f
         teq    $zero, $zero
1:      RETURN
CASE overflow_in_slot_of_jr
        lui     $v0, 0x7fff
        jr      $ra
         add    $v0, $v0, $v0
CASE reserved_in_slot
        beqz    $zero, 1f
         .word  0xec000000
        nop
1:      RETURN
CASE fetch_misaligned
        addiu   $t0, $a0, 2
        jr      $t0
         li     $v0, 3
CASE bad_kernel_mapped_load
        lui     $t0, 0xc123
        lw      $v0, 0x4564($t0)
        RETURN
CASE bad_kernel_mapped_store
        lui     $t0, 0xe123
        sb      $v0, 0x4567($t0)
        RETURN
