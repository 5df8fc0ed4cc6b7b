/* Loops of one block, whose accesses a translation may check for several rounds at once: up to the end of what is mapped, over the border of
 * two pages, with strides from 0 to half a page. And blocks that write a register which the one before has written as well, and
 * fault before they do. */
#define GRAIN 4
#include "faulting-loops.h"

/* Words begin at multiples of four. */
#define WORDS "ins $8,$0,0,2\nins $9,$0,0,2\n"

FUNCTION(sums) {
  LOOP(WORDS "1:\nlw $11,0($8)\naddiu $8,$8,4\naddu $12,$12,$11\nsw $12,0($9)\naddiu $10,$10,-1\nbnez $10,1b\naddiu $9,$9,4");
}
FUNCTION(downwards) {
  LOOP(WORDS "1:\nlhu $11,-2($8)\naddiu $8,$8,-2\nsh $11,2($9)\nsb $10,7($9)\naddiu $10,$10,-1\nbnez $10,1b\naddiu $9,$9,-4");
}
/* The widest access is not the first, and what does not move is accessed as well. */
FUNCTION(mixtures) {
  LOOP(WORDS "1:\nlbu $11,3($8)\nlbu $12,0($9)\naddu $13,$13,$11\nlw $11,4($8)\naddiu $8,$8,8\nsb $13,1($9)\naddiu $10,$10,-1\n"
       "bnez $10,1b\naddu $13,$13,$12");
}
/* Both move twice in a round, one to and fro. */
FUNCTION(detours) {
  LOOP(WORDS "1:\naddiu $8,$8,12\nlbu $11,0($8)\naddiu $8,$8,-8\nsb $11,0($9)\naddiu $9,$9,1\nlbu $12,-4($8)\nsb $12,0($9)\n"
       "addiu $10,$10,-1\nbnez $10,1b\naddiu $9,$9,1");
}
FUNCTION(strides) {
  LOOP(WORDS "andi $10,$10,7\n1:\nlw $11,0($8)\naddiu $8,$8,512\naddu $13,$13,$11\nsw $13,0($9)\naddiu $10,$10,-1\nbgtz $10,1b\n"
       "addiu $9,$9,64");
}
/* How far one moves depends on what was read. */
FUNCTION(choices) {
  LOOP("1:\nlbu $11,0($8)\nandi $12,$11,3\naddu $8,$8,$12\nsb $11,0($9)\naddiu $9,$9,1\naddiu $10,$10,-1\nbnez $10,1b\n"
       "addu $13,$13,$11");
}
/* $11 to $13 are written in each block, by loads that may fault. */
FUNCTION(chains) {
  LOOP("1:\nlbu $11,0($8)\nlbu $12,0($9)\naddiu $13,$13,1\nbne $11,$12,2f\naddiu $8,$8,1\nlbu $11,1($8)\nlbu $12,1($9)\n"
       "addu $13,$11,$12\nbeq $11,$0,2f\naddiu $9,$9,1\nlbu $12,2($9)\nlbu $11,2($8)\nxor $13,$11,$12\n2:\naddiu $10,$10,-1\n"
       "bnez $10,1b\naddiu $9,$9,1");
}
/* The same with a store between, and ways that meet again. */
FUNCTION(meetings) {
  LOOP("1:\nandi $11,$10,1\nandi $12,$10,2\nbeqz $11,2f\naddu $13,$13,$12\nli $11,9\nlbu $12,0($8)\nsb $12,0($9)\nb 3f\n"
       "addiu $11,$11,1\n2:\nlbu $11,1($8)\nli $12,6\nsb $11,1($9)\n3:\naddiu $8,$8,1\naddu $13,$13,$11\naddiu $10,$10,-1\n"
       "bnez $10,1b\naddiu $9,$9,2");
}

static const struct function functions[] = {
  {"sums", sums}, {"downwards", downwards}, {"mixtures", mixtures}, {"detours", detours},
  {"strides", strides}, {"choices", choices}, {"chains", chains}, {"meetings", meetings},
};

int main(void) {
  return run_all(functions, sizeof functions / sizeof *functions);
}
