/* Signal delivery: order, masks, siginfo, alternate stacks, restart, nested handlers, fork and wait. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static volatile sig_atomic_t count;
static char order[64];
static sigjmp_buf env;

static void note(int sig) { order[count++] = sig == SIGUSR1 ? 'a' : sig == SIGUSR2 ? 'b' : '?'; }

static void info(int sig, siginfo_t *si, void *context) {
  ucontext_t *uc = context;
  printf("info %s code %d pid-is-own %d uid %d mask-has-usr1 %d\n", strsignal(sig), si->si_code, si->si_pid == getpid(),
         (int)si->si_uid, sigismember(&uc->uc_sigmask, SIGUSR1));
}

static void fault(int sig, siginfo_t *si, void *context) {
  (void)context;
  printf("fault %d code %d addr %s\n", sig, si->si_code, si->si_addr == NULL ? "null" : "set");
  siglongjmp(env, 1);
}

static void on_stack(int sig) {
  stack_t now;
  char here;
  sigaltstack(NULL, &now);
  printf("signal %d on alternate stack %d flags %d\n", sig == SIGUSR1,
         &here >= (char *)now.ss_sp && &here < (char *)now.ss_sp + now.ss_size, now.ss_flags);
}

static void value(int sig, siginfo_t *si, void *context) {
  (void)context;
  printf("queued rt+%d value %d code %d\n", sig - SIGRTMIN, si->si_value.sival_int, si->si_code);
}

static void child(int sig, siginfo_t *si, void *context) {
  (void)sig;
  (void)context;
  printf("child code %d status %d pid-ok %d\n", si->si_code, si->si_status, si->si_pid > 0);
}

static void install(int sig, void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
  sigemptyset(&sa.sa_mask);
  sigaction(sig, &sa, NULL);
}

static void quiet(int sig) { (void)sig; count++; }

static double seconds(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  struct sigaction sa = {.sa_handler = note};
  sigaction(SIGUSR1, &sa, NULL);
  sigaction(SIGUSR2, &sa, NULL);
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, &old);
  raise(SIGUSR2);
  raise(SIGUSR1);
  raise(SIGUSR1);
  sigset_t pending;
  sigpending(&pending);
  printf("pending %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2));
  sigprocmask(SIG_SETMASK, &old, NULL);
  printf("order %s\n", order);

  install(SIGUSR1, info, 0);
  raise(SIGUSR1);
  kill(getpid(), SIGUSR1);
  sigval_t v = {.sival_int = 42};
  install(SIGRTMIN + 1, value, 0);
  install(SIGRTMIN + 2, value, 0);
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  sigaddset(&set, SIGRTMIN + 2);
  sigprocmask(SIG_BLOCK, &set, NULL);
  for (v.sival_int = 1; v.sival_int < 4; v.sival_int++) {
    sigqueue(getpid(), SIGRTMIN + 2, v);
    sigqueue(getpid(), SIGRTMIN + 1, v);
  }
  sigprocmask(SIG_UNBLOCK, &set, NULL);

  install(SIGSEGV, fault, SA_NODEFER);
  install(SIGBUS, fault, SA_NODEFER);
  install(SIGFPE, fault, SA_NODEFER);
  install(SIGILL, fault, SA_NODEFER);
  install(SIGTRAP, fault, SA_NODEFER);
  if (!sigsetjmp(env, 1)) *(volatile int *)0 = 1;
  if (!sigsetjmp(env, 1)) *(volatile int *)main = 1;
  char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!sigsetjmp(env, 1)) printf("%d\n", *(volatile char *)(page + 100));
  if (!sigsetjmp(env, 1)) ((void (*)(void))page)();
  if (!sigsetjmp(env, 1)) {
    int x = 0x7fffffff;
    __asm__ volatile("add %0, %0, %0" : "+r"(x));
  }

  stack_t alternate = {.ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ};
  sigaltstack(&alternate, NULL);
  sa.sa_handler = on_stack;
  sa.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR1, &sa, NULL);
  raise(SIGUSR1);
  sigaltstack(NULL, &alternate);
  printf("flags outside %d\n", alternate.ss_flags);

  int fds[2];
  char byte = 0;
  if (pipe(fds) < 0) return 1;
  for (int restart = 0; restart < 2; restart++) {
    count = 0;
    sa.sa_handler = quiet;
    sa.sa_flags = restart ? SA_RESTART : 0;
    sigaction(SIGALRM, &sa, NULL);
    pid_t writer = fork();
    if (writer == 0) {
      usleep(300000);
      byte = 'x';
      _exit(write(fds[1], &byte, 1) == 1 ? 0 : 1);
    }
    struct itimerval timer = {.it_value = {.tv_usec = 100000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    errno = 0;
    int n = read(fds[0], &byte, 1);
    printf("read restart %d -> %d %s, signals %d\n", restart, n, n < 0 ? strerror(errno) : "ok", (int)count);
    if (n < 0) n = read(fds[0], &byte, 1);
    int status;
    while (waitpid(writer, &status, 0) < 0) {}
    printf("writer %d\n", WEXITSTATUS(status));
  }

  sa.sa_flags = 0;
  sigaction(SIGALRM, &sa, NULL);
  struct itimerval timer = {.it_value = {.tv_usec = 100000}};
  setitimer(ITIMER_REAL, &timer, NULL);
  struct timespec request = {.tv_sec = 1}, left;
  int slept = nanosleep(&request, &left);
  printf("nanosleep %d %s left %d\n", slept, strerror(errno), left.tv_sec == 0 && left.tv_nsec > 700000000);

  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, &old);
  setitimer(ITIMER_REAL, &timer, NULL);
  count = 0;
  int suspended = sigsuspend(&old);
  printf("sigsuspend %d %s, signals %d\n", suspended, strerror(errno), (int)count);
  sigprocmask(SIG_BLOCK, NULL, &old);
  printf("still blocked %d\n", sigismember(&old, SIGALRM));
  setitimer(ITIMER_REAL, &timer, NULL);
  siginfo_t si;
  printf("sigwaitinfo %d code %d\n", sigwaitinfo(&set, &si) == SIGALRM, si.si_code);
  struct timespec brief = {.tv_nsec = 1000000};
  printf("sigtimedwait %d %s\n", sigtimedwait(&set, &si, &brief), strerror(errno));

  install(SIGCHLD, child, SA_RESTART);
  for (int how = 0; how < 3; how++) {
    pid_t pid = fork();
    if (pid == 0) {
      if (how == 0) _exit(33);
      signal(SIGSEGV, SIG_DFL);
      if (how == 1) *(volatile int *)0 = 1;
      for (;;) pause();
    }
    if (how == 2) kill(pid, SIGKILL);
    int status;
    pid_t got = waitpid(pid, &status, 0);
    printf("wait %d exited %d code %d signaled %d signal %d\n", got == pid, WIFEXITED(status),
           WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status), WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  }
  int seen[2];
  char go = 0;
  if (pipe(seen)) return 1;
  pid_t pid = fork();
  if (pid == 0) {
    signal(SIGCONT, SIG_DFL);
    raise(SIGSTOP);
    if (read(seen[0], &go, 1) != 1) _exit(1); /* an end would take the place of the continuation */
    _exit(5);
  }
  int status;
  waitpid(pid, &status, WUNTRACED);
  printf("stopped %d by stop %d\n", WIFSTOPPED(status), WSTOPSIG(status) == SIGSTOP);
  kill(pid, SIGCONT);
  waitpid(pid, &status, WCONTINUED);
  printf("continued %d\n", WIFCONTINUED(status));
  if (write(seen[1], &go, 1) != 1) return 1;
  waitpid(pid, &status, 0);
  printf("exit %d\n", WEXITSTATUS(status));
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  double before = seconds();
  alarm(1);
  pause();
  double took = seconds() - before;
  printf("alarm after a second %d\n", took > 0.9 && took < 2.5);
  return 0;
}
