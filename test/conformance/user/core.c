// Programs that die with and without permission to leave a core file (core(5)).
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile long marker = 0x5ca1ab1e;

static void *wait_forever(void *argument) {
  pause();
  return argument;
}

static void end_child(const char *how, void (*end)(void)) {
  unlink("core");
  fflush(stdout);
  if (fork() == 0) {
    end();
    _exit(0);
  }
  siginfo_t info = {0};
  int status;
  waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
  wait(&status);
  struct stat file;
  int exists = stat("core", &file) == 0;
  printf("%s: signal %d, core file %d %d, code %d, mode %o\n", how, WTERMSIG(status), WCOREDUMP(status) != 0, exists,
         info.si_code, exists ? file.st_mode & 0777 : 0);
}

static void fault(void) { *(volatile int *)8 = 0; }
static void terminate(void) { raise(SIGTERM); }
static void no_folder(void) {
  if (chdir("/proc")) _exit(1);
  abort();
}
static void threads(void) {
  pthread_t thread;
  marker++;
  pthread_create(&thread, NULL, wait_forever, NULL);
  usleep(1000);
  abort();
}

static unsigned char *whole;

static void look(void) {
  int file = open("core", O_RDONLY);
  struct stat stats;
  fstat(file, &stats);
  whole = malloc(stats.st_size);
  if (read(file, whole, stats.st_size) != stats.st_size) return;
  Elf32_Ehdr *elf = (Elf32_Ehdr *)whole;
  Elf32_Phdr *segment = (Elf32_Phdr *)(whole + elf->e_phoff);
  printf("type %d, machine %d, first segment a note %d\n", elf->e_type, elf->e_machine, segment->p_type == PT_NOTE);
  int statuses = 0, floats = 0, others = 0;
  for (unsigned char *at = whole + segment->p_offset, *end = at + segment->p_filesz; at < end;) {
    Elf32_Nhdr *note = (Elf32_Nhdr *)at;
    unsigned char *content = at + sizeof *note + 8;
    if (note->n_type == NT_PRSTATUS) {
      if (statuses++ == 0) printf("signal %d\n", *(int *)content);
    } else if (note->n_type == NT_PRFPREG) floats++;
    else others++;
    if (note->n_type == NT_PRPSINFO) printf("program %.15s\n", (char *)content + 32);
    at = content + ((note->n_descsz + 3) & ~3);
  }
  printf("%d statuses, %d floating-point states, %d other notes\n", statuses, floats, others);
  for (int i = 1; i < elf->e_phnum; i++) {
    unsigned long address = (unsigned long)&marker;
    if (address < segment[i].p_vaddr || address >= segment[i].p_vaddr + segment[i].p_memsz) continue;
    printf("marker %#lx\n", *(long *)(whole + segment[i].p_offset + (address - segment[i].p_vaddr)));
  }
  close(file);
}

int main(void) {
  struct rlimit none = {0, RLIM_INFINITY}, short_limit = {8192, RLIM_INFINITY}, unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  prctl(PR_SET_NAME, "dying");
  char folder[] = "/tmp/core-XXXXXX";
  if (!mkdtemp(folder) || chdir(folder)) return 1;
  setrlimit(RLIMIT_CORE, &none);
  end_child("limit 0", abort);
  setrlimit(RLIMIT_CORE, &unlimited);
  end_child("abort", abort);
  end_child("fault", fault);
  end_child("terminate", terminate);
  end_child("no folder to write in", no_folder);
  end_child("threads", threads);
  look();
  setrlimit(RLIMIT_CORE, &short_limit);
  end_child("short", abort);
  struct stat file;
  printf("at most the limit: %d\n", stat("core", &file) == 0 && file.st_size <= 8192);
  unlink("core");
  if (chdir("/") || rmdir(folder)) perror(folder);
  return 0;
}
