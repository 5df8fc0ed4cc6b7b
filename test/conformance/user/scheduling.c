// Locks with priority inheritance (futex(2), pthread_mutexattr_setprotocol(3)) and real-time scheduling (sched(7)) on one
// processor.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void show(const char *what, int result) { printf("%s: %s\n", what, result == 0 ? "ok" : strerror(result)); }

static pthread_mutex_t lock;
static pthread_barrier_t barrier;
static long counter;

static void make_lock(int robust) {
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  show("protocol", pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
  if (robust) pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
  else pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
  show("init", pthread_mutex_init(&lock, &attr));
}

static void *count(void *unused) {
  for (int i = 0; i < 2000; i++) {
    pthread_mutex_lock(&lock);
    long before = counter;
    if (i % 100 == 0) sched_yield();
    counter = before + 1;
    pthread_mutex_unlock(&lock);
  }
  return unused;
}

static void *try_lock(void *unused) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec++;
  show("taken", pthread_mutex_trylock(&lock));
  show("timed", pthread_mutex_timedlock(&lock, &until));
  show("not the owner", pthread_mutex_unlock(&lock));
  return unused;
}

static void *die_with_lock(void *unused) {
  pthread_mutex_lock(&lock);
  pthread_barrier_wait(&barrier);
  usleep(50000); // so that the other one waits
  return unused;
}

static void inheritance(void) {
  puts("-- inheriting locks");
  pthread_t threads[4];
  make_lock(0);
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, count, NULL);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  printf("counted %ld\n", counter);
  show("lock", pthread_mutex_lock(&lock));
  show("lock again", pthread_mutex_lock(&lock));
  pthread_create(&threads[0], NULL, try_lock, NULL);
  pthread_join(threads[0], NULL);
  show("unlock", pthread_mutex_unlock(&lock));

  make_lock(1);
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&threads[0], NULL, die_with_lock, NULL);
  pthread_barrier_wait(&barrier);
  show("owner died", pthread_mutex_lock(&lock));
  show("consistent", pthread_mutex_consistent(&lock));
  show("unlock", pthread_mutex_unlock(&lock));
  pthread_join(threads[0], NULL);

  uint32_t word = 0x123456;
  errno = 0;
  syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, NULL);
  show("no such owner", errno);
  syscall(SYS_futex, &word, FUTEX_UNLOCK_PI, 0, NULL);
  show("another's lock", errno);
}

static char order[64];

static void note(char letter) { order[strlen(order)] = letter; }

static void work(void) {
  for (volatile int i = 0; i < 300000; i++) continue;
}

static void *low(void *unused) {
  pthread_mutex_lock(&lock);
  note('l');
  pthread_barrier_wait(&barrier);
  work();
  note('L');
  pthread_mutex_unlock(&lock);
  return unused;
}

static void *middle(void *unused) {
  pthread_barrier_wait(&barrier);
  usleep(1000);
  work();
  note('M');
  return unused;
}

static void *high(void *unused) {
  pthread_barrier_wait(&barrier);
  usleep(500);
  pthread_mutex_lock(&lock);
  note('H');
  pthread_mutex_unlock(&lock);
  return unused;
}

static pthread_t start(void *(*function)(void *), int policy, int priority) {
  pthread_attr_t attr;
  struct sched_param parameter = {.sched_priority = priority};
  pthread_t thread;
  pthread_attr_init(&attr);
  pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
  pthread_attr_setschedpolicy(&attr, policy);
  pthread_attr_setschedparam(&attr, &parameter);
  show("create", pthread_create(&thread, &attr, function, NULL));
  return thread;
}

static void *spin(void *unused) {
  static char next = 'a';
  char letter = next++;
  for (int i = 0; i < 3; i++) {
    work();
    note(letter);
    sched_yield();
  }
  return unused;
}

static void real_time(void) {
  puts("-- real time");
  struct sched_param parameter = {.sched_priority = 50};
  struct timespec interval;
  printf("fifo %d to %d, other %d to %d\n", sched_get_priority_min(SCHED_FIFO), sched_get_priority_max(SCHED_FIFO),
         sched_get_priority_min(SCHED_OTHER), sched_get_priority_max(SCHED_OTHER));
  printf("unknown policy %d\n", sched_get_priority_max(77));
  show("no priority", sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){0}) ? errno : 0);
  show("fifo", sched_setscheduler(0, SCHED_FIFO, &parameter) ? errno : 0);
  parameter.sched_priority = 0;
  sched_getparam(0, &parameter);
  sched_rr_get_interval(0, &interval);
  printf("policy %d priority %d interval %ld\n", sched_getscheduler(0), parameter.sched_priority, interval.tv_nsec);
  if (fork() == 0) _exit(sched_getscheduler(0));
  int status;
  wait(&status);
  printf("the child's policy %d\n", WEXITSTATUS(status));
  parameter.sched_priority = 60;
  show("higher", sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameter) ? errno : 0);
  printf("%x\n", sched_getscheduler(0));
  if (fork() == 0) _exit(sched_getscheduler(0));
  wait(&status);
  printf("the child's policy %d\n", WEXITSTATUS(status));
  show("fifo", sched_setscheduler(0, SCHED_FIFO, &parameter) ? errno : 0);

  // The one in the middle would hold up the highest if the lowest did not inherit.
  make_lock(1);
  pthread_barrier_init(&barrier, NULL, 3);
  pthread_t threads[3] = {start(low, SCHED_FIFO, 10), start(middle, SCHED_FIFO, 20), start(high, SCHED_FIFO, 30)};
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  puts(order);
  // Of equals each goes on until it yields; ordinary ones wait.
  memset(order, 0, sizeof order);
  threads[0] = start(spin, SCHED_OTHER, 0);
  threads[1] = start(spin, SCHED_FIFO, 5);
  threads[2] = start(spin, SCHED_FIFO, 5);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  puts(order);
  uid_t nobody = 65534;
  pthread_mutex_destroy(&lock);
  setuid(nobody);
  show("not the superuser", sched_setscheduler(0, SCHED_FIFO, &parameter) ? errno : 0);
  show("ordinary", sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0}) ? errno : 0);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  inheritance();
  real_time();
  return 0;
}
