// A system call that does not exist here.
#include <stdio.h>
#include <sys/ptrace.h>

int main(void) {
  if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0) perror("ptrace");
  return 0;
}
