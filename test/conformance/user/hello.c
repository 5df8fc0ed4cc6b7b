/* Says hello; with an argument it waits for signals. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void caught(int sig) {
  printf("caught %d\n", sig);
  fflush(stdout);
  if (sig == SIGTERM) _exit(21);
}

int main(int argc, char **argv) {
  if (argc > 1) {
    signal(SIGINT, caught);
    signal(SIGTERM, caught);
    printf("ready\n");
    fflush(stdout);
    for (;;) pause();
  }
  printf("hello from %s\n", argv[0]);
  return 7;
}
