// Processes as descriptors: pidfd_open(2) and its like, waitid(2) on them, clone(2) with CLONE_PIDFD; kcmp(2); ioprio_set(2).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static const char *result(long value) { return value < 0 ? strerror(errno) : "done"; }

static void wait_on(int handle, int options) {
  siginfo_t info = {0};
  long got = waitid(P_PIDFD, handle, &info, WEXITED | options);
  printf("waitid: %s", result(got));
  printf(", code %d status %d\n", info.si_code, info.si_status);
}

static void handled(int signal, siginfo_t *info, void *context) {
  (void)context;
  printf("signal %d, code %d, value %d\n", signal == SIGUSR1, info->si_code, info->si_value.sival_int);
  fflush(stdout);
}

int main(void) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  int handle = syscall(SYS_pidfd_open, child, 0);
  printf("open: %s, closed by execve %d\n", result(handle), fcntl(handle, F_GETFD) == FD_CLOEXEC);
  struct pollfd poller = {handle, POLLIN, 0};
  printf("before the end: poll %d\n", poll(&poller, 1, 0));
  char byte;
  printf("read: %s\n", result(read(handle, &byte, 1)));
  printf("signal 0: %s\n", result(syscall(SYS_pidfd_send_signal, handle, 0, NULL, 0)));
  printf("signal 9: %s\n", result(syscall(SYS_pidfd_send_signal, handle, SIGKILL, NULL, 0)));
  printf("after it: poll %d\n", poll(&poller, 1, -1));
  wait_on(handle, WNOWAIT);
  wait_on(handle, 0);
  wait_on(handle, 0);
  printf("signal to who is gone: %s\n", result(syscall(SYS_pidfd_send_signal, handle, 0, NULL, 0)));
  close(handle);
  printf("open who is gone: %s\n", result(syscall(SYS_pidfd_open, child, 0)));
  printf("open nothing: %s\n", result(syscall(SYS_pidfd_open, 0, 0)));
  printf("wait on a file: %s\n", result(waitid(P_PIDFD, 0, NULL, WEXITED)));

  struct sigaction action = {.sa_sigaction = handled, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  handle = syscall(SYS_pidfd_open, getpid(), 0);
  siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
  info.si_value.sival_int = 42;
  printf("with a value: %s\n", result(syscall(SYS_pidfd_send_signal, handle, SIGUSR1, &info, 0)));

  int wire[2];
  if (pipe(wire)) return 1;
  handle = -1;
  fflush(stdout);
  struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&handle, .exit_signal = SIGCHLD};
  child = syscall(SYS_clone3, &args, sizeof args);
  if (child == 0) {
    close(wire[0]);
    int own = open("/proc/self/comm", O_RDONLY);
    if (write(wire[1], &own, sizeof own) != sizeof own) _exit(1);
    for (;;) pause();
  }
  int theirs = -1, copy;
  if (read(wire[0], &theirs, sizeof theirs) != sizeof theirs) return 1;
  printf("clone: a descriptor %d\n", handle >= 0);
  printf("getfd: %s", result(copy = syscall(SYS_pidfd_getfd, handle, theirs, 0)));
  printf(", the same file %ld", syscall(SYS_kcmp, getpid(), child, 0, copy, theirs));
  printf(", not that of another descriptor %d\n", syscall(SYS_kcmp, getpid(), child, 0, wire[0], theirs) > 0);
  printf("getfd of none: %s\n", result(syscall(SYS_pidfd_getfd, handle, 999, 0)));
  printf("memory in common %d, with itself %ld\n", syscall(SYS_kcmp, getpid(), child, 1, 0, 0) == 0,
         syscall(SYS_kcmp, getpid(), getpid(), 1, 0, 0));
  int nonblocking = syscall(SYS_pidfd_open, child, O_NONBLOCK);
  wait_on(nonblocking, 0);
  kill(child, SIGTERM);
  poller.fd = nonblocking;
  poll(&poller, 1, -1);
  wait_on(nonblocking, 0);

  printf("ioprio: %ld", syscall(SYS_ioprio_get, 1, 0) & 7);
  printf(", set %s", result(syscall(SYS_ioprio_set, 1, 0, (2 << 13) | 3)));
  printf(", %#lx", syscall(SYS_ioprio_get, 1, 0));
  printf(", no such class %s", result(syscall(SYS_ioprio_set, 1, 0, (5 << 13) | 1)));
  printf(", nobody %s\n", result(syscall(SYS_ioprio_get, 1, 999999)));
  return 0;
}
