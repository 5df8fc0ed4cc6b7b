// FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI, futex(2): from waiting on a word to a lock without being woken between.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static unsigned word, lock;
static int order[4], ended;

static long futex(unsigned *address, int operation, unsigned value, long timeout, unsigned *second, unsigned third) {
  return syscall(SYS_futex, address, operation, value, timeout, second, third);
}

static void *waiter(void *argument) {
  long number = (long)argument;
  long got = futex(&word, FUTEX_WAIT_REQUEUE_PI, 0, 0, &lock, 0);
  int mine = (lock & FUTEX_TID_MASK) == (unsigned)syscall(SYS_gettid);
  order[ended++] = number;
  printf("waiter %ld: %ld, has the lock %d\n", number, got, mine);
  futex(&lock, FUTEX_UNLOCK_PI, 0, 0, NULL, 0);
  return NULL;
}

static void show(const char *what, long value) { printf("%s: %ld %s\n", what, value, value < 0 ? strerror(errno) : ""); }

int main(void) {
  pthread_t threads[3];
  for (long i = 0; i < 3; i++) {
    pthread_create(&threads[i], NULL, waiter, (void *)i);
    usleep(20000);
  }
  show("lock", futex(&lock, FUTEX_LOCK_PI, 0, 0, NULL, 0));
  show("wrong value", futex(&word, FUTEX_CMP_REQUEUE_PI, 1, INT_MAX, &lock, 5));
  show("two to wake", futex(&word, FUTEX_CMP_REQUEUE_PI, 2, INT_MAX, &lock, 0));
  unsigned other = 0;
  show("another lock", futex(&word, FUTEX_CMP_REQUEUE_PI, 1, INT_MAX, &other, 0));
  show("moved", futex(&word, FUTEX_CMP_REQUEUE_PI, 1, INT_MAX, &lock, 0));
  usleep(20000);
  printf("while the lock is held: %d ended\n", ended);
  show("unlock", futex(&lock, FUTEX_UNLOCK_PI, 0, 0, NULL, 0));
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  printf("order %d %d %d, lock %#x\n", order[0], order[1], order[2], lock);

  pthread_create(&threads[0], NULL, waiter, (void *)7);
  usleep(20000);
  show("to a free lock", futex(&word, FUTEX_CMP_REQUEUE_PI, 1, 0, &lock, 0));
  pthread_join(threads[0], NULL);

  word = 1;
  show("value changed", futex(&word, FUTEX_WAIT_REQUEUE_PI, 0, 0, &lock, 0));
  struct timespec soon;
  clock_gettime(CLOCK_MONOTONIC, &soon);
  soon.tv_nsec += 1000000;
  if (soon.tv_nsec >= 1000000000) soon.tv_sec++, soon.tv_nsec -= 1000000000;
  show("timed out", futex(&word, FUTEX_WAIT_REQUEUE_PI, 1, (long)&soon, &lock, 0));
  return 0;
}
