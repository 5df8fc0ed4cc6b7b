/* A program with shared libraries: its own, the C library's, and one that it opens while it runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern int shared_counter;
extern __thread int thread_counter;
extern int (*const operations[])(int);
const char *who(void);
int count(int by);

const char *overridden(void) { return "the program's"; }

__attribute__((constructor)) static void begin(void) { puts("program begins"); }

static int by_length(const void *a, const void *b) {
  return (int)strlen(*(char *const *)a) - (int)strlen(*(char *const *)b);
}

static void *thread(void *argument) {
  count(*(int *)argument);
  return (void *)(long)thread_counter;
}

static jmp_buf back;
static void leave(int value) { longjmp(back, value); }

int main(int argc, char **argv) {
  if (argc > 1) { /* the same libraries again, at another place */
    printf("executed: %s, counter %d\n", argv[1], shared_counter);
    return 0;
  }
  printf("counter %d, ", shared_counter);
  printf("%d after 2 more\n", count(2));
  printf("function of %s, tables %d %d\n", who(), operations[0](10), operations[1](10));

  pthread_t id;
  int by = 8;
  void *of_thread;
  pthread_create(&id, NULL, thread, &by);
  pthread_join(id, &of_thread);
  printf("thread-local here %d, there %ld; counter %d\n", thread_counter, (long)of_thread, shared_counter);

  const char *words[] = {"longest of all", "a", "middle", "abc"};
  qsort(words, 4, sizeof *words, by_length);
  printf("sorted: %s, %s, %s, %s\n", words[0], words[1], words[2], words[3]);

  void *math = dlopen("libm.so.6", RTLD_NOW);
  double (*opened)(double, double) = math ? (double (*)(double, double))dlsym(math, "pow") : NULL;
  printf("libm: %.12f %a, opened %.3f\n", sin(1), cbrt(2), opened ? opened(2, 0.5) : 0);
  printf("missing library: %s\n", dlopen("libmissing.so.1", RTLD_NOW) ? "there" : dlerror());
  printf("missing symbol: %s\n", dlsym(RTLD_DEFAULT, "no_such_function") ? "there" : "not found");
  Dl_info info;
  printf("who() is in %s\n", dladdr((void *)who, &info) ? strrchr(info.dli_fname, '/') + 1 : "nothing");

  int jumped = setjmp(back);
  if (jumped == 0) leave(3);
  unsigned long long wide = 0x0123456789abcdefull;
  printf("jumped %d, wide %llx, first byte %s\n", jumped, wide, *(unsigned char *)&wide == 1 ? "high" : "low");

  fflush(stdout);
  if (fork() == 0) execl("/proc/self/exe", argv[0], "again", NULL);
  int status;
  wait(&status);
  printf("child ended with %d\n", status);
  return 0;
}
