// Asks for a thousand system calls that no kernel has.
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  int refused = 0;
  for (long number = 100000; number < 101000; number++)
    if (syscall(number) == -1 && errno == ENOSYS) refused++;
  printf("%d\n", refused);
  return 0;
}
