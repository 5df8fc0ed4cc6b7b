/* Shared by C and assembly: CP0 registers (MIPS32 PRA, chapter 6) and the record that the exception handler keeps. */
#define CP0_INDEX       $0
#define CP0_ENTRYLO0    $2
#define CP0_ENTRYLO1    $3
#define CP0_PAGEMASK    $5
#define CP0_WIRED       $6
#define CP0_BADVADDR    $8
#define CP0_COUNT       $9
#define CP0_ENTRYHI     $10
#define CP0_COMPARE     $11
#define CP0_STATUS      $12
#define CP0_CAUSE       $13
#define CP0_EPC         $14

#define EXC_CAUSE       0
#define EXC_EPC         4
#define EXC_BADVADDR    8
#define EXC_COUNT       12
#define EXC_RESUME      16
#define EXC_REFILLS     20
#define EXC_ENTRYLO0    24
#define EXC_ENTRYLO1    28

#define BRANCH_DECISIONS 20
