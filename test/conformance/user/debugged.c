// What a debugger looks at: structures, a thread, a function that both call, and a crash.
#include <pthread.h>
#include <stdio.h>

struct point { int x, y; double weight; };
static int calls;

static int distance(const struct point *p, int scale) {
  int d = (p->x * p->x + p->y * p->y) * scale;
  calls++;
  return d;
}

static void *work(void *argument) {
  struct point p = {3, 4, 0.5};
  return (void *)(long)distance(&p, *(int *)argument);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  struct point p = {1, 2, 2.25};
  int scale = 10;
  printf("distance %d\n", distance(&p, scale));
  pthread_t thread;
  pthread_create(&thread, NULL, work, &scale);
  void *result;
  pthread_join(thread, &result);
  printf("thread %ld, calls %d\n", (long)result, calls);
  *(volatile int *)0 = 0;
  return 0;
}
