/* What tlb.c runs in user mode, from a page at 0x00400000; $a0 is the page behind it. Each ends in an exception. */
#include "cases.h"

        .macro  END
        syscall
        nop
        .endm

USER_CASE user_syscall
        li      $v0, 1
        syscall
        nop
USER_CASE user_break_in_slot
        b       1f
         break
        nop
1:      END
USER_CASE user_load
        lw      $v0, 0($a0)
        END
USER_CASE user_store
        li      $v0, 0x77
        sw      $v0, 4($a0)
        lw      $v0, 4($a0)
        END
        .macro  FORBIDDEN name, instruction:vararg
USER_CASE user_\name
        li      $v0, 1
        \instruction
        li      $v0, 2
        END
        .endm
        FORBIDDEN mfc0, mfc0 $v0, $12
        FORBIDDEN mtc0, mtc0 $v0, $12
        FORBIDDEN eret, eret
        FORBIDDEN wait, wait
        FORBIDDEN tlbwi, tlbwi
        FORBIDDEN tlbwr, tlbwr
        FORBIDDEN tlbp, tlbp
        FORBIDDEN tlbr, tlbr
        FORBIDDEN di, di
        FORBIDDEN ei, ei
        FORBIDDEN cache, cache 0, 0($a0)
        FORBIDDEN rdpgpr, rdpgpr $v0, $a0
        FORBIDDEN mfc1, mfc1 $v0, $f0
        FORBIDDEN synci, synci 0($a0)
        FORBIDDEN pref, pref 0, 0($a0)
USER_CASE user_mfc0_in_slot, enabled
        b       1f
         mfc0   $v0, $12
1:      END
        .macro  OUTSIDE name, address
USER_CASE user_load_\name
        li      $t0, \address
        lw      $v0, 0($t0)
        END
USER_CASE user_load_byte_\name
        li      $t0, \address + 3
        lbu     $v0, 0($t0)
        END
USER_CASE user_store_\name
        li      $t0, \address
        sw      $v0, 8($t0)
        END
USER_CASE user_fetch_\name
        li      $t0, \address
        jr      $t0
         li     $v0, 9
        .endm
        OUTSIDE kseg0, 0x80000000
        OUTSIDE kseg1, 0xa0000000
        OUTSIDE kseg2, 0xc0000000
        OUTSIDE kseg3, 0xfffffff0
        OUTSIDE missing, 0x7ffffff0
USER_CASE user_misaligned_load_kseg0
        li      $t0, 0x80000001
        lw      $v0, 0($t0)
        END
USER_CASE user_misaligned
        lw      $v0, 1($a0)
        END
USER_CASE user_hardware_registers, enabled
        rdhwr   $v0, $0
        rdhwr   $t0, $1
        sll     $t0, $t0, 8
        or      $v0, $v0, $t0
        rdhwr   $t0, $3
        sll     $t0, $t0, 16
        or      $v0, $v0, $t0
        rdhwr   $t0, $2
        rdhwr   $t1, $2
        subu    $t1, $t1, $t0
        bltz    $t1, 1f
         nop
        END
1:      break
USER_CASE user_hardware_register_1, enabled
        rdhwr   $v0, $1
        END
USER_CASE user_hardware_register_29, enabled
        rdhwr   $v1, $29
        END
USER_CASE user_ll_sc, enabled
        ll      $t0, 0($a0)
        addiu   $v0, $t0, 1
        sc      $v0, 0($a0)
        END
