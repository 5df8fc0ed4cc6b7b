/*
 * A case is a function that attempt() calls with $a0 = an aligned buffer and $v0 = 0; most end in an exception, for which
 * the position in the function and $v0 are reported. Cases lie on lines of their own, so that positions do not depend on
 * one another, and are listed in a section that C walks through.
 */
        .set    noreorder
        .set    noat
        .set    hardfloat

        .macro  CASE name
        .section .rodata
9:      .asciz  "\name"
        .section .cases.kernel, "a"
        .word   \name, 9b
        .text
        .balign 64
        .globl  \name
\name:
        .endm

        .macro  USER_CASE name, list=user
        .section .rodata
9:      .asciz  "\name"
        .section .cases.\list, "a"
        .word   \name, 9b
        .section .user, "ax"
        .balign 64
\name:
        .endm

        .macro  RETURN
        jr      $ra
         nop
        .endm

        .macro  SET_STATUS bits
        li      $t0, \bits
        mtc0    $t0, $12
        ehb
        .endm
