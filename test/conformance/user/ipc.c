// System V IPC and POSIX message queues: sysvipc(7), mq_overview(7).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *name_of(int e) {
  switch (e) {
    case EINVAL: return "EINVAL";
    case EIDRM: return "EIDRM";
    case ENOENT: return "ENOENT";
    case EEXIST: return "EEXIST";
    case EAGAIN: return "EAGAIN";
    case ENOMSG: return "ENOMSG";
    case E2BIG: return "E2BIG";
    case ERANGE: return "ERANGE";
    case EFBIG: return "EFBIG";
    case EINTR: return "EINTR";
    case EACCES: return "EACCES";
    case EMSGSIZE: return "EMSGSIZE";
    case ETIMEDOUT: return "ETIMEDOUT";
    case EBADF: return "EBADF";
    case EBUSY: return "EBUSY";
    default: return strerror(e);
  }
}

static void show(const char *what, long result) {
  if (result < 0) printf("%s: %s\n", what, name_of(errno));
  else printf("%s: %ld\n", what, result);
  fflush(stdout);
}

static void finish(pid_t pid) {
  int status;
  waitpid(pid, &status, 0);
  printf("child %s %d\n", WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  fflush(stdout);
}

static void shared_memory(void) {
  puts("-- shared memory");
  struct shmid_ds ds;
  key_t key = 0x626c0000 + getpid();
  show("no such key", shmget(key, 4096, 0));
  show("empty", shmget(IPC_PRIVATE, 0, 0600));
  int id = shmget(key, 10000, IPC_CREAT | IPC_EXCL | 0640);
  show("exclusive again", shmget(key, 10000, IPC_CREAT | IPC_EXCL | 0640));
  show("larger", shmget(key, 20000, 0));
  printf("same: %d\n", shmget(key, 5000, 0) == id);
  unsigned char *at = shmat(id, NULL, 0), *again = shmat(id, NULL, SHM_RDONLY);
  printf("attached: %d, aligned: %d, zero: %d\n", at != (void *)-1 && again != (void *)-1, (unsigned long)at % 4096 == 0, at[9999]);
  strcpy((char *)at, "written once");
  printf("seen there: %s\n", again);
  fflush(stdout);
  if (fork() == 0) {
    strcpy((char *)at + 5000, "by the child");
    _exit(0);
  }
  finish(-1);
  printf("seen: %s\n", again + 5000);
  shmctl(id, IPC_STAT, &ds);
  printf("size %zu mode %o attached %lu creator %d\n", (size_t)ds.shm_segsz, ds.shm_perm.mode & 0777, (unsigned long)ds.shm_nattch, ds.shm_cpid == getpid());
  printf("key %d own %d times %d\n", ds.shm_perm.__key == key, ds.shm_perm.uid == getuid(), ds.shm_atime != 0 && ds.shm_ctime != 0);
  ds.shm_perm.mode = 0600;
  show("IPC_SET", shmctl(id, IPC_SET, &ds));
  show("IPC_RMID", shmctl(id, IPC_RMID, NULL));
  show("key is free", shmget(key, 4096, 0));
  show("still there", shmctl(id, IPC_STAT, &ds));
  printf("mode %o\n", ds.shm_perm.mode & 0777);
  show("detach", shmdt(at));
  printf("kept: %s\n", again);
  fflush(stdout);
  if (fork() == 0) {
    again[0] = 1; // read-only
    _exit(1);
  }
  finish(-1);
  show("detach elsewhere", shmdt((char *)again + 4096));
  show("detach", shmdt(again));
  show("gone", shmctl(id, IPC_STAT, &ds));
  show("attach nothing", (long)shmat(id, NULL, 0));
}

union semun {
  int val;
  struct semid_ds *buf;
  unsigned short *array;
};

static volatile int alarms;
static void on_alarm(int signal) { alarms += signal == SIGALRM; }

static void semaphores(void) {
  puts("-- semaphores");
  union semun arg;
  unsigned short values[3] = {1, 2, 3};
  int id = semget(IPC_PRIVATE, 3, 0600);
  arg.array = values;
  show("SETALL", semctl(id, 0, SETALL, arg));
  memset(values, 0, sizeof values);
  semctl(id, 0, GETALL, arg);
  printf("%d %d %d\n", values[0], values[1], values[2]);
  struct sembuf down = {0, -1, 0}, none = {0, -1, IPC_NOWAIT}, beyond = {3, 1, 0};
  show("down", semop(id, &down, 1));
  show("again, without waiting", semop(id, &none, 1));
  show("no such semaphore", semop(id, &beyond, 1));
  show("no operation", semop(id, &down, 0));
  // All or nothing.
  struct sembuf both[2] = {{1, -2, IPC_NOWAIT}, {2, -4, IPC_NOWAIT}};
  show("both", semop(id, both, 2));
  show("untouched", semctl(id, 1, GETVAL));
  arg.val = 40000;
  show("too large", semctl(id, 0, SETVAL, arg));
  struct sembuf much = {2, 32767, 0};
  show("overflow", semop(id, &much, 1));
  struct timespec moment = {0, 20000000};
  show("timed out", semtimedop(id, &down, 1, &moment));
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  alarm(1);
  show("interrupted", semop(id, &down, 1));
  fflush(stdout);
  pid_t waiter = fork();
  if (waiter == 0) {
    show("child got it", semop(id, &down, 1));
    _exit(semctl(id, 0, GETPID) == getpid() ? 0 : 1);
  }
  while (semctl(id, 0, GETNCNT) == 0) usleep(1000);
  show("waiting", semctl(id, 0, GETNCNT));
  struct sembuf up = {0, 1, 0};
  semop(id, &up, 1);
  finish(waiter);
  // What a process did with SEM_UNDO is taken back at its end.
  fflush(stdout);
  pid_t undoer = fork();
  if (undoer == 0) {
    struct sembuf take = {2, -3, SEM_UNDO};
    semop(id, &take, 1);
    _exit(semctl(id, 2, GETVAL));
  }
  finish(undoer);
  show("taken back", semctl(id, 2, GETVAL));
  // Waiting for zero, and removal under the waiter.
  fflush(stdout);
  pid_t last = fork();
  if (last == 0) {
    struct sembuf zero = {1, 0, 0};
    show("removed", semop(id, &zero, 1));
    _exit(0);
  }
  while (semctl(id, 1, GETZCNT) == 0) usleep(1000);
  struct semid_ds ds;
  arg.buf = &ds;
  semctl(id, 0, IPC_STAT, arg);
  printf("%lu semaphores, mode %o, operated %d\n", (unsigned long)ds.sem_nsems, ds.sem_perm.mode & 0777, ds.sem_otime != 0);
  show("IPC_RMID", semctl(id, 0, IPC_RMID));
  finish(last);
  show("gone", semctl(id, 0, GETVAL));
}

struct text {
  long type;
  char bytes[64];
};

static void messages(void) {
  puts("-- messages");
  struct text m = {0}, got;
  int id = msgget(IPC_PRIVATE, 0600);
  for (int i = 1; i <= 5; i++) {
    m.type = i % 3 + 1;
    sprintf(m.bytes, "message %d", i);
    msgsnd(id, &m, strlen(m.bytes) + 1, 0);
  }
  show("type 0", (m.type = 0, msgsnd(id, &m, 1, 0)));
  show("too long", (m.type = 1, msgsnd(id, &m, 8193, 0)));
  show("bytes", msgrcv(id, &got, 64, 1, 0));
  printf("type 1: %s\n", got.bytes);
  msgrcv(id, &got, 64, -2, 0);
  printf("up to 2: %ld %s\n", got.type, got.bytes);
  msgrcv(id, &got, 64, 2, MSG_EXCEPT);
  printf("not 2: %ld %s\n", got.type, got.bytes);
  show("no room", msgrcv(id, &got, 4, 0, 0));
  memset(&got, 0, sizeof got);
  show("cut", msgrcv(id, &got, 4, 0, MSG_NOERROR));
  printf("%s\n", got.bytes);
  struct msqid_ds ds;
  msgctl(id, IPC_STAT, &ds);
  printf("%lu left, at most %lu bytes, sent by us %d\n", (unsigned long)ds.msg_qnum, (unsigned long)ds.msg_qbytes, ds.msg_lspid == getpid());
  msgrcv(id, &got, 64, 0, 0);
  show("empty", msgrcv(id, &got, 64, 0, IPC_NOWAIT));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    show("child receives", msgrcv(id, &got, 64, 9, 0));
    printf("%s\n", got.bytes);
    fflush(stdout);
    show("child again", msgrcv(id, &got, 64, 9, 0));
    _exit(0);
  }
  m.type = 9;
  strcpy(m.bytes, "for the child");
  msgsnd(id, &m, sizeof "for the child", 0);
  do msgctl(id, IPC_STAT, &ds), usleep(1000);
  while (ds.msg_qnum > 0);
  usleep(50000);
  // A full queue.
  m.type = 1;
  int sent = 0;
  char large[8192 + sizeof(long)];
  memcpy(large, &m.type, sizeof m.type);
  while (msgsnd(id, large, 8000, IPC_NOWAIT) == 0) sent++;
  printf("full after %d: %s\n", sent, name_of(errno));
  fflush(stdout);
  show("IPC_RMID", msgctl(id, IPC_RMID, NULL));
  finish(child);
}

static volatile int notified, code_seen, value_seen;
static void on_notice(int signal, siginfo_t *info, void *context) {
  notified = signal;
  code_seen = info->si_code;
  value_seen = info->si_value.sival_int;
}

static void posix_queues(void) {
  puts("-- POSIX queues");
  char name[32], buffer[64];
  unsigned priority;
  sprintf(name, "/bootlab-%d", getpid());
  struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 64}, seen;
  show("none yet", mq_open(name, O_RDWR));
  mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
  show("exclusive", mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr));
  struct mq_attr bad = {.mq_maxmsg = 0, .mq_msgsize = 8};
  show("no messages", mq_open("/bootlab-bad", O_RDWR | O_CREAT, 0600, &bad));
  show("low", mq_send(q, "low", 4, 1));
  show("high", mq_send(q, "high", 5, 7));
  show("low again", mq_send(q, "low again", 10, 1));
  mq_getattr(q, &seen);
  printf("%ld of %ld, %ld bytes\n", seen.mq_curmsgs, seen.mq_maxmsg, seen.mq_msgsize);
  struct pollfd p = {q, POLLIN | POLLOUT, 0};
  poll(&p, 1, 0);
  printf("poll %x\n", p.revents);
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 30000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  show("full", mq_timedsend(q, "x", 2, 0, &until));
  show("long", mq_send(q, buffer, 65, 0));
  show("small buffer", mq_receive(q, buffer, 10, &priority));
  for (int i = 0; i < 3; i++) {
    mq_receive(q, buffer, 64, &priority);
    printf("%u %s\n", priority, buffer);
  }
  attr.mq_flags = O_NONBLOCK;
  mq_setattr(q, &attr, &seen);
  show("empty", mq_receive(q, buffer, 64, &priority));
  attr.mq_flags = 0;
  mq_setattr(q, &attr, &seen);
  printf("was non-blocking: %d\n", seen.mq_flags == O_NONBLOCK);

  struct sigaction action = {.sa_sigaction = on_notice, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
  show("notify", mq_notify(q, &event));
  show("notify twice", mq_notify(q, &event));
  mq_send(q, "wake", 5, 0);
  printf("notified %d code %d value %d\n", notified == SIGUSR1, code_seen == SI_MESGQ, value_seen);
  mq_receive(q, buffer, 64, &priority);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    show("child receives", mq_receive(q, buffer, 64, &priority));
    printf("%s\n", buffer);
    fflush(stdout);
    _exit(0);
  }
  usleep(20000);
  mq_send(q, "to the child", 13, 3);
  finish(child);
  mqd_t reader = mq_open(name, O_RDONLY);
  show("read-only", mq_send(reader, "x", 1, 0));
  mq_close(reader);
  show("unlink", mq_unlink(name));
  show("unlink again", mq_unlink(name));
  show("open still", mq_send(q, "kept", 5, 0));
  show("close", mq_close(q));
  show("closed", mq_send(q, "x", 1, 0));
}

// The C library goes through ipc(2) where it supports old kernels.
static void direct_calls(void) {
  puts("-- as system calls of their own");
  struct text m = {4, "direct"};
  struct sembuf up = {0, 1, 0};
  int queue = syscall(SYS_msgget, IPC_PRIVATE, 0600);
  show("msgsnd", syscall(SYS_msgsnd, queue, &m, 7, 0));
  memset(&m, 0, sizeof m);
  show("msgrcv", syscall(SYS_msgrcv, queue, &m, 64, 4, 0));
  printf("%ld %s\n", m.type, m.bytes);
  show("msgctl", syscall(SYS_msgctl, queue, IPC_RMID, NULL));
  int set = syscall(SYS_semget, IPC_PRIVATE, 1, 0600);
#ifdef SYS_semtimedop_time64
  long long moment[2] = {0, 1000000};
  show("up", syscall(SYS_semtimedop_time64, set, &up, 1, moment));
  up.sem_op = 0;
  show("timed out", syscall(SYS_semtimedop_time64, set, &up, 1, moment));
#else
  struct timespec moment = {0, 1000000};
  show("up", semtimedop(set, &up, 1, &moment));
  up.sem_op = 0;
  show("timed out", semtimedop(set, &up, 1, &moment));
#endif
  show("value", syscall(SYS_semctl, set, 0, GETVAL, 0));
  show("semctl", syscall(SYS_semctl, set, 0, IPC_RMID, 0));
  int segment = syscall(SYS_shmget, IPC_PRIVATE, 4096, 0600);
  char *at = (char *)syscall(SYS_shmat, segment, NULL, 0);
  at[4095] = 1;
  show("shmdt", syscall(SYS_shmdt, at));
  show("shmctl", syscall(SYS_shmctl, segment, IPC_RMID, NULL));
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  shared_memory();
  semaphores();
  messages();
  posix_queues();
  direct_calls();
  return 0;
}
