// A system call that does not exist here.
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
  if (syscall(SYS_userfaultfd, 0) < 0) perror("userfaultfd");
  return 0;
}
