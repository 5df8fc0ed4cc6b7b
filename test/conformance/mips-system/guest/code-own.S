/* Code that rewrites itself, in its own page and a few words away. */
        .set    noreorder
        .set    noat
        .text

        .macro  PUBLISH                 /* $t0: address of the word that changed */
        synci   0($t0)
        sync
        la      $t9, 8f
        jr.hb   $t9
         nop
8:
        .endm

        .globl  rewrite_ahead, rewrite_slot, rewrite_loop
        .balign 64
rewrite_ahead:
        li      $v0, 0
        la      $t0, 1f
        li      $t1, 0x24420007         /* addiu $v0, $v0, 7 */
        sw      $t1, 0($t0)
        PUBLISH
1:      addiu   $v0, $v0, 1
        jr      $ra
         nop

        .balign 64
rewrite_slot:
        li      $v0, 0
        la      $t0, 1f
        li      $t1, 0x24420070         /* addiu $v0, $v0, 0x70 */
        sw      $t1, 0($t0)
        PUBLISH
        b       2f
1:       addiu  $v0, $v0, 1
        addiu   $v0, $v0, 0x700
2:      jr      $ra
         nop

        .balign 64
rewrite_loop:
        li      $v0, 0
        li      $t2, 200
        la      $t0, 1f
1:      addiu   $v0, $v0, 1
        lw      $t1, 0($t0)             /* the immediate grows by one each time */
        addiu   $t1, $t1, 1
        sw      $t1, 0($t0)
        PUBLISH
        addiu   $t2, $t2, -1
        bnez    $t2, 1b
         nop
        li      $t1, 0x24420001         /* as it was */
        sw      $t1, 0($t0)
        PUBLISH
        jr      $ra
         nop
