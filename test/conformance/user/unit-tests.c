// A program under test: TAP on standard output, remarks on standard error; its argument says how it ends.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "pass";
  if (!strcmp(how, "count")) {
    int bytes = 0, lines = 0, c;
    while ((c = getchar()) != EOF) {
      bytes++;
      lines += c == '\n';
    }
    printf("%d bytes of input, %d lines\n", bytes, lines);
    return 0;
  }
  char line[64] = "nothing";
  FILE *file = fopen("/etc/greeting", "r");
  if (file) {
    if (fgets(line, sizeof line, file)) line[strcspn(line, "\n")] = 0;
    fclose(file);
  }
  puts("TAP version 13\n1..3");
  puts("ok 1 - starts");
  printf("%sok 2 - adds\n", strcmp(how, "fail") ? "" : "not ");
  fflush(stdout);
  fprintf(stderr, "greeting: %s, LEVEL=%s, uid %d\n", line, getenv("LEVEL") ? getenv("LEVEL") : "none", getuid());
  if (!strcmp(how, "crash")) *(volatile int *)0 = 0;
  if (!strcmp(how, "hang")) for (;;) pause();
  if (!strcmp(how, "spin")) for (;;) continue;
  if (!strcmp(how, "status")) return 9;
  puts("ok 3 - ends # SKIP not today");
  return 0;
}
