/* Runs code from a file at a fixed address: a function of two pages, with 0 only the first page of it. Prints what comes of it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

enum { CALLS = 3000 };

int main(void) {
  int file = open("/code", O_RDONLY);
  void *code = mmap((void *)0x10000000, 0x2000, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, file, 0);
  if (code == MAP_FAILED) return 1;
  unsigned (*function)(unsigned) = (unsigned (*)(unsigned))code;
  unsigned sum = 0;
  for (unsigned both = 0; both < 2; both++) {
    for (int i = 0; i < CALLS; i++) sum += function(both);
    printf("%u\n", sum);
  }
  return 0;
}
