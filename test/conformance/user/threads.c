/* Threads of glibc: mutexes, condition variables, barriers, thread-local storage, robust locks, cancellation, semaphores. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 8, ROUNDS = 2000, ITEMS = 500 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static long counter;
static atomic_long atomic_counter;
static _Thread_local int own;
static int slot, slot_full, phase_sum[3];

static void *count(void *argument) {
  own = (int)(long)argument;
  for (int i = 0; i < ROUNDS; i++) {
    pthread_mutex_lock(&mutex);
    counter++;
    pthread_mutex_unlock(&mutex);
    atomic_fetch_add(&atomic_counter, 1);
  }
  for (int phase = 0; phase < 3; phase++) {
    __atomic_fetch_add(&phase_sum[phase], own, __ATOMIC_SEQ_CST);
    int last = pthread_barrier_wait(&barrier);
    if (last == PTHREAD_BARRIER_SERIAL_THREAD) printf("phase %d sum %d\n", phase, phase_sum[phase]);
    pthread_barrier_wait(&barrier);
  }
  return (void *)(long)(own * own);
}

static void *produce(void *unused) {
  (void)unused;
  for (int i = 1; i <= ITEMS; i++) {
    pthread_mutex_lock(&mutex);
    while (slot_full) pthread_cond_wait(&emptied, &mutex);
    slot = i;
    slot_full = 1;
    pthread_cond_signal(&filled);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

static void *robust_owner(void *lock) {
  pthread_mutex_lock(lock);
  return NULL;
}

static void cleanup(void *name) { printf("cleanup %s\n", (char *)name); }

static void *sleeper(void *unused) {
  (void)unused;
  pthread_cleanup_push(cleanup, "sleeper");
  for (;;) sleep(1000);
  pthread_cleanup_pop(0);
  return NULL;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  pthread_t threads[WORKERS];
  pthread_barrier_init(&barrier, NULL, WORKERS);
  for (long i = 0; i < WORKERS; i++) pthread_create(&threads[i], NULL, count, (void *)(i + 1));
  long squares = 0;
  for (int i = 0; i < WORKERS; i++) {
    void *result;
    pthread_join(threads[i], &result);
    squares += (long)result;
  }
  printf("counter %ld atomic %ld squares %ld\n", counter, atomic_load(&atomic_counter), squares);

  pthread_t producer;
  pthread_create(&producer, NULL, produce, NULL);
  long sum = 0;
  for (int i = 0; i < ITEMS; i++) {
    pthread_mutex_lock(&mutex);
    while (!slot_full) pthread_cond_wait(&filled, &mutex);
    sum += slot;
    slot_full = 0;
    pthread_cond_signal(&emptied);
    pthread_mutex_unlock(&mutex);
  }
  pthread_join(producer, NULL);
  printf("consumed %ld\n", sum);

  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 20000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  pthread_mutex_lock(&mutex);
  printf("timed wait %s\n", strerror(pthread_cond_timedwait(&filled, &mutex, &until)));
  pthread_mutex_unlock(&mutex);

  pthread_mutexattr_t attributes;
  pthread_mutex_t robust;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&robust, &attributes);
  pthread_create(&threads[0], NULL, robust_owner, &robust);
  pthread_join(threads[0], NULL);
  printf("orphaned lock %s\n", strerror(pthread_mutex_lock(&robust)));
  printf("consistent %d\n", pthread_mutex_consistent(&robust));

  pthread_create(&threads[0], NULL, sleeper, NULL);
  usleep(10000);
  pthread_cancel(threads[0]);
  void *result;
  pthread_join(threads[0], &result);
  printf("cancelled %d\n", result == PTHREAD_CANCELED);

  /* A mutex and a semaphore in memory that processes share. */
  struct shared {
    pthread_mutex_t mutex;
    sem_t done;
    int value;
  } *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&shared->mutex, &attributes);
  sem_init(&shared->done, 1, 0);
  for (int i = 0; i < 4; i++)
    if (fork() == 0) {
      for (int n = 0; n < 1000; n++) {
        pthread_mutex_lock(&shared->mutex);
        shared->value++;
        pthread_mutex_unlock(&shared->mutex);
      }
      sem_post(&shared->done);
      _exit(0);
    }
  for (int i = 0; i < 4; i++) sem_wait(&shared->done);
  while (wait(NULL) > 0) {}
  printf("shared %d\n", shared->value);
  fflush(stdout);
  pthread_create(&threads[0], NULL, sleeper, NULL);
  return 3; /* with a thread still asleep */
}
