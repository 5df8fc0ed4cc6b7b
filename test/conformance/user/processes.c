/* fork, vfork, execve (programs, scripts, failures), wait, pipes between processes, groups and sessions, identity, times. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int status_of(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void write_file(const char *name, const char *text, int mode) {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (write(fd, text, strlen(text)) < 0) perror("write");
  close(fd);
}

static int report(int argc, char **argv) {
  printf("child argc %d:", argc);
  for (int i = 2; i < argc; i++) printf(" [%s]", argv[i]);
  printf(" MARK=%s\n", getenv("MARK"));
  struct sigaction sa;
  sigaction(SIGUSR1, NULL, &sa);
  printf("usr1 %s", sa.sa_handler == SIG_DFL ? "default" : "other");
  sigaction(SIGUSR2, NULL, &sa);
  printf(" usr2 %s", sa.sa_handler == SIG_IGN ? "ignored" : "other");
  sigset_t set;
  sigprocmask(SIG_BLOCK, NULL, &set);
  printf(" hup-blocked %d\n", sigismember(&set, SIGHUP));
  printf("descriptor 20 %s, 21 %s\n", fcntl(20, F_GETFD) < 0 ? "closed" : "open", fcntl(21, F_GETFD) < 0 ? "closed" : "open");
  fflush(stdout);
  return 42;
}

static void handler(int sig) { (void)sig; }

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "report") == 0) return report(argc, argv);
  setvbuf(stdout, NULL, _IONBF, 0);
  char self[4096];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  self[length < 0 ? 0 : length] = 0;
  char folder[] = "/tmp/bootlab-procXXXXXX";
  if (!mkdtemp(folder) || chdir(folder) < 0) return 1;

  printf("pagesz %lu clktck %lu secure %lu random %d execfn %d phdr %d entry %d\n", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK),
         getauxval(AT_SECURE), getauxval(AT_RANDOM) != 0, strcmp((char *)getauxval(AT_EXECFN), argv[0]),
         getauxval(AT_PHDR) != 0, getauxval(AT_ENTRY) != 0);

  /* A pipeline of three processes. */
  int a[2], b[2];
  if (pipe(a) < 0 || pipe(b) < 0) return 1;
  pid_t first = fork();
  if (first == 0) {
    for (int i = 0; i < 20000; i++) dprintf(a[1], "%d\n", i);
    _exit(0);
  }
  pid_t second = fork();
  if (second == 0) {
    close(a[1]);
    FILE *in = fdopen(a[0], "r");
    long sum = 0;
    char line[32];
    while (fgets(line, sizeof line, in)) sum += atol(line);
    _exit(write(b[1], &sum, sizeof sum) == sizeof sum ? 0 : 1);
  }
  close(a[1]);
  long sum = 0;
  printf("read %d", (int)read(b[0], &sum, sizeof sum));
  printf(" sum %ld, statuses %d %d\n", sum, status_of(first), status_of(second));

  /* Writing to a pipe that nobody reads. */
  close(a[0]);
  if (pipe(a) < 0) return 1;
  close(a[0]);
  pid_t writer = fork();
  if (writer == 0) {
    if (write(a[1], "x", 1) < 0) perror("unexpected");
    _exit(1);
  }
  printf("broken pipe %d\n", status_of(writer) - 1000 == SIGPIPE);
  signal(SIGPIPE, SIG_IGN);
  errno = 0;
  printf("ignored %d %s\n", (int)write(a[1], "x", 1), strerror(errno));

  /* execve: arguments, environment, what survives. */
  signal(SIGUSR1, handler);
  signal(SIGUSR2, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, NULL);
  dup2(1, 20);
  dup3(1, 21, O_CLOEXEC);
  char *arguments[] = {"name", "report", "one", "", "three words", NULL};
  char *environment[] = {"MARK=set", NULL};
  pid_t pid = fork();
  if (pid == 0) {
    execve(self, arguments, environment);
    _exit(99);
  }
  printf("execve %d\n", status_of(pid));
  pid = vfork();
  if (pid == 0) {
    execve(self, arguments, environment);
    _exit(99);
  }
  printf("vfork %d\n", status_of(pid));
  char script[8192];
  snprintf(script, sizeof script, "#!%s report\nignored\n", self);
  write_file("script", script, 0755);
  write_file("nested", "#! ./script  two words  \n", 0755);
  pid = fork();
  if (pid == 0) {
    char *script_arguments[] = {"zero", "x", NULL};
    execve("./script", script_arguments, environment);
    _exit(99);
  }
  printf("script %d\n", status_of(pid));
  pid = fork();
  if (pid == 0) {
    char *script_arguments[] = {"zero", "y", NULL};
    execve("nested", script_arguments, environment);
    _exit(99);
  }
  printf("nested %d\n", status_of(pid));
  write_file("text", "just text\n", 0755);
  write_file("plain", script, 0644);
  write_file("lost", "#!/no/such/interpreter\n", 0755);
  static const char *const failures[] = {"missing", "text", "plain", "lost", ".", "text/below"};
  for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
    execve(failures[i], arguments, environment);
    printf("execve %s: %s\n", failures[i], strerror(errno));
  }
  char *spawned[] = {"name", "report", "spawned", NULL};
  if (posix_spawn(&pid, self, NULL, NULL, spawned, environment) == 0) printf("posix_spawn %d\n", status_of(pid));

  /* waiting */
  printf("wait without children %d %s\n", (int)wait(NULL), strerror(errno));
  pid = fork();
  if (pid == 0) {
    for (;;) pause();
  }
  printf("nohang %d\n", (int)waitpid(pid, NULL, WNOHANG));
  kill(pid, SIGTERM);
  siginfo_t info = {0};
  printf("waitid %d", waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
  printf(" code %d status %d pid %d\n", info.si_code, info.si_status, info.si_pid == pid);
  printf("then %d\n", status_of(pid) - 1000 == SIGTERM);
  signal(SIGCHLD, SIG_IGN);
  pid = fork();
  if (pid == 0) _exit(0);
  printf("reaped by itself %d %s\n", (int)waitpid(pid, NULL, 0), strerror(errno));
  signal(SIGCHLD, SIG_DFL);

  /* groups and sessions */
  pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    printf("own group %d", getpgrp() == getpid());
    pid_t member = fork();
    if (member == 0) {
      for (;;) pause();
    }
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    printf(" member killed %d", status_of(member) - 1000 == SIGTERM);
    errno = 0;
    printf(" setsid %d %s\n", (int)setsid(), strerror(errno));
    _exit(0);
  }
  status_of(pid);
  pid = fork();
  if (pid == 0) _exit(setsid() == getpid() && getsid(0) == getpid() ? 0 : 1);
  printf("session %d\n", status_of(pid));

  /* an orphan learns of a new parent */
  if (pipe(a) < 0) return 1;
  pid = fork();
  if (pid == 0) {
    pid_t parent = getpid();
    if (fork() == 0) {
      while (getppid() == parent) usleep(1000);
      _exit(write(a[1], "o", 1) == 1 ? 0 : 1);
    }
    _exit(0);
  }
  status_of(pid);
  char byte = 0;
  printf("orphan %d %c\n", (int)read(a[0], &byte, 1), byte);

  struct rlimit limit = {64, 64};
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  int fd = dup2(1, 63);
  errno = 0;
  printf("limit %d, 63 -> %d, 64 -> %d %s\n", (int)limit.rlim_cur, fd, dup2(1, 64), strerror(errno));
  prctl(PR_SET_NAME, "a name longer than sixteen bytes");
  char name[17] = {0};
  prctl(PR_GET_NAME, name);
  printf("name %s\n", name);
  struct utsname system;
  uname(&system);
  printf("%s %s\n", system.sysname, system.machine);
  struct timespec from, to, pause = {.tv_nsec = 50000000};
  clock_gettime(CLOCK_MONOTONIC, &from);
  clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
  clock_gettime(CLOCK_MONOTONIC, &to);
  long elapsed = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
  printf("slept %d\n", elapsed >= 50 && elapsed < 1000);
  errno = 0;
  printf("no such call %ld %s\n", syscall(4999), strerror(errno));
  static const char *const made[] = {"script", "nested", "text", "plain", "lost"};
  for (size_t i = 0; i < sizeof made / sizeof *made; i++) unlink(made[i]);
  printf("removed %d\n", rmdir(folder));
  return 0;
}
