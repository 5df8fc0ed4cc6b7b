/* Kernel code of tlb.c. */
        .set    noreorder
        .set    noat
        .text
        .globl  ll_sc, ll_sc_after_syscall, ll_sc_sc
ll_sc:
        ll      $t0, 0($a0)
        addiu   $t0, $t0, 1
        sc      $t0, 0($a0)
        lw      $v0, 0($a0)
        sll     $t0, $t0, 16
        jr      $ra
         or     $v0, $v0, $t0
ll_sc_after_syscall:
        ll      $t0, 0($a0)
        syscall
        addiu   $t0, $t0, 1
        sc      $t0, 0($a0)
        lw      $v0, 0($a0)
        sll     $t0, $t0, 16
        jr      $ra
         or     $v0, $v0, $t0
ll_sc_sc:
        ll      $t0, 0($a0)
        addiu   $t0, $t0, 1
        move    $t1, $t0
        sc      $t0, 0($a0)
        addiu   $t1, $t1, 1
        sc      $t1, 0($a0)
        lw      $v0, 0($a0)
        sll     $t0, $t0, 16
        sll     $t1, $t1, 20
        or      $v0, $v0, $t1
        jr      $ra
         or     $v0, $v0, $t0
