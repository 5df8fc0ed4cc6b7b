/* Short loops, whose registers a translation may keep for itself from round to round: what is in them where an access faults in the middle
 * of a round, and that the loop goes on with it once the page is there. */
#include "faulting-loops.h"

FUNCTION(products) {
  LOOP("1:\nlb $11,0($8)\naddiu $8,$8,1\nlb $12,0($9)\naddiu $9,$9,1\naddiu $10,$10,-1\nbnez $10,1b\nmadd $11,$12");
}
FUNCTION(copies) {
  LOOP("1:\nlbu $11,0($8)\naddiu $8,$8,1\nsb $11,0($9)\naddiu $10,$10,-1\nbnez $10,1b\naddiu $9,$9,1");
}
/* Of two ways through the loop one stores. */
FUNCTION(choices) {
  LOOP("1:\nlbu $11,0($8)\nandi $12,$11,4\nbeqz $12,2f\naddiu $8,$8,1\nsb $11,0($9)\naddiu $9,$9,1\n2:\naddu $13,$13,$11\n"
       "addiu $10,$10,-1\nbnez $10,1b\nrotr $13,$13,3");
}
/* It is left in the middle, in a delay slot that then is not executed. */
FUNCTION(searches) {
  LOOP("1:\naddiu $10,$10,-1\nbeqz $10,2f\nlbu $11,0($8)\naddu $13,$13,$11\nbnel $13,$0,1b\nlbu $12,1($8)\n2:\nmove $10,$0\n"
       "3:\naddiu $8,$8,1\naddiu $10,$10,1\nsltiu $11,$10,64\nbnez $11,3b\nlbu $12,0($8)");
}
/* A loop in a loop that begins with it. */
FUNCTION(nests) {
  LOOP("move $13,$8\n1:\nandi $12,$10,7\n2:\nlbu $11,0($8)\naddiu $8,$8,1\nmsub $11,$12\nbnez $12,2b\naddiu $12,$12,-1\n"
       "lbu $11,0($9)\naddiu $9,$9,3\nmadd $11,$10\naddiu $10,$10,-1\nbnez $10,1b\nnop\nmove $8,$13\nli $13,3");
}

static const struct function functions[] = {
  {"products", products}, {"copies", copies}, {"choices", choices}, {"searches", searches}, {"nests", nests},
};

int main(void) {
  return run_all(functions, sizeof functions / sizeof *functions);
}
