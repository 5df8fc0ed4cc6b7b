/* A shared library with what the dynamic linker has to arrange: data that others see, thread-local storage, functions that
   it looks up when they are first called, and others that are chosen when it is loaded. */
#include <stdio.h>

int shared_counter = 40;
__thread int thread_counter = 5;
int *const pointer_to_counter = &shared_counter;

/* The program has a function of this name, too, and that one is meant. */
const char *overridden(void) { return "the library's"; }

const char *who(void) { return overridden(); }

static int first(int value) { return value + 1; }
static int second(int value) { return value * 2; }
int (*const operations[])(int) = {first, second};

int count(int by) {
  thread_counter += by;
  return *pointer_to_counter += by;
}

__attribute__((constructor)) static void begin(void) { puts("library begins"); }
__attribute__((destructor)) static void end(void) { puts("library ends"); }
