// A program that dies with permission to leave a core file (core(5)).
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  int status;
  setrlimit(RLIMIT_CORE, &unlimited);
  if (fork() == 0) abort();
  wait(&status);
  printf("signal %d, core file %d\n", WTERMSIG(status), WCOREDUMP(status) != 0);
  fflush(stdout);
  *(volatile int *)0 = 0;
}
