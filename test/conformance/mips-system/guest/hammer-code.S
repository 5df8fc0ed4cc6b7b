        .set    noreorder
        .set    noat
        .set    hardfloat
        .text
        .globl  hammer_accesses
/* $a0: address, $a1: value. Leaves Status.CU1 set. */
hammer_accesses:
        mfc0    $t0, $12
        lui     $t1, 0x2000
        or      $t0, $t0, $t1
        mtc0    $t0, $12
        ehb
        lb      $t0, 0($a0)
        lhu     $t0, 0($a0)
        lw      $t0, 0($a0)
        lwl     $t0, 0($a0)
        lwr     $t0, 0($a0)
        ll      $t0, 0($a0)
        ldc1    $f0, 0($a0)
        sb      $a1, 0($a0)
        sh      $a1, 0($a0)
        sw      $a1, 0($a0)
        swl     $a1, 0($a0)
        swr     $a1, 0($a0)
        sc      $a1, 0($a0)
        sdc1    $f0, 0($a0)
        jr      $ra
         nop
