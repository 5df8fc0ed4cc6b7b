/* ptrace(2): what a tracer sees of other processes, and what it can do to them. Prints the same on every architecture. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* struct ptrace_syscall_info, which C libraries call by different names. */
struct syscall_info {
  uint8_t op, pad[3];
  uint32_t arch;
  uint64_t ip, sp;
  union {
    struct {
      uint64_t nr, args[6];
    } entry;
    struct {
      int64_t rval;
      uint8_t is_error;
    } exit;
  };
};
#define GET_SYSCALL_INFO 0x420e

static volatile long shared = 11;

static const char *nameOf(int signal) {
  static char text[32];
  snprintf(text, sizeof text, "SIG%s", sigabbrev_np(signal));
  return text;
}

static const char *said(int status) {
  static char text[96];
  int event = status >> 16;
  if (WIFEXITED(status)) snprintf(text, sizeof text, "exited %d", WEXITSTATUS(status));
  else if (WIFSIGNALED(status)) snprintf(text, sizeof text, "killed by %s", nameOf(WTERMSIG(status)));
  else if (WIFCONTINUED(status)) snprintf(text, sizeof text, "continued");
  else if (WSTOPSIG(status) & 0x80) snprintf(text, sizeof text, "system call");
  else if (event) snprintf(text, sizeof text, "event %d with %s", event, nameOf(WSTOPSIG(status)));
  else snprintf(text, sizeof text, "stopped by %s", nameOf(WSTOPSIG(status)));
  return text;
}

static int await(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, __WALL) != pid) printf("waitpid: %s\n", strerror(errno));
  return status;
}

static void show(const char *what, pid_t pid) { printf("%s: %s\n", what, said(await(pid))); }

/* A child that is traced and has stopped itself. */
static pid_t traced(void (*work)(void), long options) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    if (ptrace(PTRACE_TRACEME, 0, 0, 0)) _exit(99);
    raise(SIGSTOP);
    work();
    _exit(7);
  }
  show("child", pid);
  if (ptrace(PTRACE_SETOPTIONS, pid, 0, options)) perror("PTRACE_SETOPTIONS");
  return pid;
}

static void callSystem(void) {
  syscall(SYS_getppid);
  syscall(SYS_close, -1);
  usleep(1000);
}

static void systemCalls(void) {
  pid_t pid = traced(callSystem, PTRACE_O_TRACESYSGOOD);
  long number = -1;
  for (;;) {
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
    int status = await(pid);
    if (!WIFSTOPPED(status)) {
      printf("end: %s\n", said(status));
      return;
    }
    struct syscall_info info = {0};
    long size = ptrace(GET_SYSCALL_INFO, pid, (void *)sizeof info, &info);
    if (info.op == 1) {
      number = info.entry.nr;
      if (number == SYS_close) printf("enters close(%d), %ld bytes\n", (int)info.entry.args[0], size);
      if (number == SYS_exit_group) printf("enters exit_group(%d)\n", (int)info.entry.args[0]);
    } else if (info.op == 2) {
      if (number == SYS_getppid) printf("leaves getppid: %s\n", info.exit.rval == getpid() ? "our number" : "another number");
      if (number == SYS_close) printf("leaves close: %d, error %d, %ld bytes\n", (int)info.exit.rval, info.exit.is_error, size);
    } else printf("op %d\n", info.op);
  }
}

static void onSignal(int signal) {
  printf("handled %s\n", nameOf(signal));
  fflush(stdout);
}

static void raiseThree(void) {
  signal(SIGUSR1, onSignal);
  signal(SIGUSR2, onSignal);
  raise(SIGUSR1);
  raise(SIGUSR1);
  raise(SIGUSR1);
  raise(SIGCHLD); /* ignored, and yet seen */
  raise(SIGTERM);
}

static void signals(void) {
  pid_t pid = traced(raiseThree, 0);
  int pass[] = {0, SIGUSR1, 0, SIGUSR2, 0, SIGTERM}; /* the second is taken away, the third is exchanged */
  for (int i = 0; i < 6; i++) {
    ptrace(PTRACE_CONT, pid, 0, pass[i]);
    int status = await(pid);
    siginfo_t info;
    int known = WIFSTOPPED(status) && ptrace(PTRACE_GETSIGINFO, pid, 0, &info) == 0;
    printf("passed %d, then %s", i, said(status));
    if (known) printf(", code %d from %s", info.si_code, info.si_pid == pid ? "itself" : "elsewhere");
    printf("\n");
    fflush(stdout);
  }
}

static void readShared(void) {
  printf("child sees %ld\n", shared);
  fflush(stdout);
}

static void memory(void) {
  pid_t pid = traced(readShared, 0);
  errno = 0;
  printf("reads %ld", ptrace(PTRACE_PEEKDATA, pid, (void *)&shared, 0));
  printf(", text %s", ptrace(PTRACE_PEEKTEXT, pid, (void *)memory, 0) == *(long *)memory ? "same" : "different");
  long text = ptrace(PTRACE_PEEKTEXT, pid, (void *)memory, 0);
  printf(", writes text %d", (int)ptrace(PTRACE_POKETEXT, pid, (void *)memory, ~text));
  printf(" %s\n", ptrace(PTRACE_PEEKTEXT, pid, (void *)memory, 0) == ~text && *(long *)memory == text ? "in the child" : "?");
  errno = 0;
  ptrace(PTRACE_PEEKDATA, pid, (void *)8, 0);
  printf("nothing mapped: %s\n", strerror(errno));
  long value = 22;
  struct iovec here = {&value, sizeof value}, there = {(void *)&shared, sizeof shared};
  printf("process_vm_writev %d", process_vm_writev(pid, &here, 1, &there, 1, 0) == sizeof value);
  value = 0;
  printf(", process_vm_readv %d", process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof value);
  printf(" gives %ld\n", value);
  there.iov_base = (void *)8;
  /* Far more than there is: as much as there is. */
  struct iovec huge[2] = {{&value, sizeof value}, {(void *)8, 0x40000000}}, range = {(void *)&shared, 0x40000000};
  printf("process_vm_readv of too much: %d\n", process_vm_readv(pid, huge, 2, &range, 1, 0) == sizeof value);
  printf("process_vm_readv of nothing: %s\n", process_vm_readv(pid, &here, 1, &there, 1, 0) < 0 ? strerror(errno) : "read");
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", pid);
  FILE *file = fopen(path, "r+");
  if (file && fseeko(file, (off_t)(uintptr_t)&shared, SEEK_SET) == 0 && fread(&value, sizeof value, 1, file) == 1)
    printf("/proc: %ld\n", value);
  if (file) fclose(file);
  ptrace(PTRACE_POKEDATA, pid, (void *)&shared, 33);
  fflush(stdout);
  ptrace(PTRACE_CONT, pid, 0, 0);
  show("end", pid);
}

static void *idle(void *argument) { return argument; }

static void makeOthers(void) {
  pid_t child = fork();
  if (child == 0) _exit(3);
  waitpid(child, NULL, 0);
  if (vfork() == 0) _exit(4);
  wait(NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, idle, NULL);
  pthread_join(thread, NULL);
  execl("/proc/self/exe", "ptrace", "executed", NULL);
  _exit(1);
}

static void events(void) {
  pid_t pid = traced(makeOthers, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                                     PTRACE_O_TRACEEXIT | PTRACE_O_TRACEVFORKDONE);
  ptrace(PTRACE_CONT, pid, 0, 0);
  unsigned long others[8];
  int known = 0;
  for (;;) {
    int status = await(pid);
    if (WIFSTOPPED(status)) {
      unsigned long message = 0;
      ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
      int event = status >> 16;
      printf("%s", said(status));
      if (event == PTRACE_EVENT_EXIT) printf(", status %#lx", message);
      if (event == PTRACE_EVENT_EXEC) printf(", message is %s", message == (unsigned long)pid ? "its number" : "another");
      printf("\n");
      if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
        others[known++] = message;
        show("  the new one", message);
        ptrace(PTRACE_CONT, message, 0, 0);
        show("  then", message); /* its exit event */
        ptrace(PTRACE_CONT, message, 0, 0);
        show("  then", message);
      }
      int signal = event || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
      ptrace(PTRACE_CONT, pid, 0, signal);
      continue;
    }
    printf("end: %s, %d others\n", said(status), known);
    return;
  }
}

static void pauseForever(void) {
  for (;;) pause();
}

static void attaching(void) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) pauseForever();
  printf("attach %ld", ptrace(PTRACE_ATTACH, pid, 0, 0));
  printf(", again %ld", ptrace(PTRACE_ATTACH, pid, 0, 0));
  printf(" %s\n", strerror(errno));
  show("attached", pid);
  siginfo_t info = {0};
  printf("detach %ld\n", ptrace(PTRACE_DETACH, pid, 0, 0));
  kill(pid, SIGTERM);
  show("end", pid);

  fflush(stdout);
  pid = fork();
  if (pid == 0) pauseForever();
  printf("seize %ld", ptrace(PTRACE_SEIZE, pid, 0, 0));
  printf(", interrupt %ld\n", ptrace(PTRACE_INTERRUPT, pid, 0, 0));
  printf("waitid %d", waitid(P_PID, pid, &info, WSTOPPED | WEXITED | WNOWAIT));
  printf(", code %d status %#x\n", info.si_code, info.si_status);
  show("seized", pid);
  ptrace(PTRACE_CONT, pid, 0, 0);
  kill(pid, SIGSTOP);
  show("stop signal", pid);
  ptrace(PTRACE_CONT, pid, 0, SIGSTOP);
  show("group stop", pid);
  printf("listen %ld\n", ptrace(PTRACE_LISTEN, pid, 0, 0));
  kill(pid, SIGCONT);
  show("after SIGCONT", pid);
  printf("kill %ld\n", ptrace(PTRACE_KILL, pid, 0, 0));
  show("end", pid);
}

static void errors(void) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) pauseForever();
  printf("not traced: %ld", ptrace(PTRACE_CONT, pid, 0, 0));
  printf(" %s\n", strerror(errno));
  printf("no such thread: %ld", ptrace(PTRACE_ATTACH, 999999, 0, 0));
  printf(" %s\n", strerror(errno));
  printf("itself: %ld", ptrace(PTRACE_ATTACH, getpid(), 0, 0));
  printf(" %s\n", strerror(errno));
  printf("unknown option: %ld", ptrace(PTRACE_SEIZE, pid, 0, 0x40000000));
  printf(" %s\n", strerror(errno));
  ptrace(PTRACE_SEIZE, pid, 0, 0);
  printf("not stopped: %ld", ptrace(PTRACE_CONT, pid, 0, 0));
  printf(" %s\n", strerror(errno));
  kill(pid, SIGKILL);
  show("end", pid);
}

/* A tracer ends: what it traces is let go, or ends with it. */
static void tracersEnd(int options) {
  fflush(stdout);
  int wire[2];
  if (pipe(wire)) return;
  pid_t tracer = fork();
  if (tracer == 0) {
    pid_t tracee = fork();
    if (tracee == 0) {
      close(wire[0]);
      for (int i = 0; i < 50; i++) usleep(1000);
      if (write(wire[1], "alive", 5) != 5) _exit(1);
      _exit(0);
    }
    ptrace(PTRACE_SEIZE, tracee, 0, options);
    ptrace(PTRACE_INTERRUPT, tracee, 0, 0);
    waitpid(tracee, NULL, __WALL);
    _exit(0);
  }
  close(wire[1]);
  waitpid(tracer, NULL, 0);
  char text[8] = "";
  int bytes = read(wire[0], text, 5);
  printf("tracee without its tracer: %s\n", bytes > 0 ? text : "gone");
  close(wire[0]);
}

int main(int argc, char **argv) {
  if (argc > 1) return 5;
  signal(SIGALRM, SIG_DFL);
  systemCalls();
  signals();
  memory();
  events();
  attaching();
  errors();
  tracersEnd(0);
  tracersEnd(PTRACE_O_EXITKILL);
  (void)argv;
  return 0;
}
