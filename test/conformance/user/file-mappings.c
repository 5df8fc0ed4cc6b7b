/* mmap(2): mappings of a file, reads and writes of it agree; pages beyond its end are SIGBUS; code that is mapped from a file
 * and changed there runs as it is now. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/cachectl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                  \
  do {                                    \
    if (!(condition)) {                   \
      perror(#condition);                 \
      exit(1);                            \
    }                                     \
  } while (0)

static long page;
static sigjmp_buf env;

static void fault(int number, siginfo_t *info, void *context) {
  (void)context;
  siglongjmp(env, number * 256 + info->si_code);
}

static void probe(const char *what, volatile char *address) {
  int result = sigsetjmp(env, 1);
  if (result == 0) printf("%s: %d\n", what, *address);
  else printf("%s: signal %d code %d\n", what, result / 256, result % 256);
}

static char *map(int fd, int flags, long offset, long pages) {
  char *address = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, flags, fd, offset);
  CHECK(address != MAP_FAILED);
  return address;
}

static const char *content(int fd, long offset, int length) {
  static char text[64];
  memset(text, 0, sizeof text);
  CHECK(pread(fd, text, length, offset) == length);
  return text;
}

static void openings(const char *name, int fd) {
  char *first = map(fd, MAP_SHARED, 0, 2);
  CHECK(pwrite(fd, "hello", 5, 0) == 5);
  printf("written before it is touched: %s\n", first);
  CHECK(pwrite(fd, "HE", 2, 0) == 2);
  printf("written after: %s\n", first);
  memcpy(first + page - 2, "edge", 4);
  printf("across pages: %s\n", content(fd, page - 2, 4));

  int again = open(name, O_RDWR);
  CHECK(again >= 0);
  char *second = map(again, MAP_SHARED, page, 1);
  printf("another opening: %.2s\n", second);
  second[0] = 'G';
  printf("and back: %.2s\n", first + page);
  close(again);
  close(open(name, O_RDONLY));
  second[1] = 'E';
  printf("after closing: %s\n", content(fd, page, 2));

  char *private = map(fd, MAP_PRIVATE, 0, 2);
  CHECK(pwrite(fd, "J", 1, 0) == 1);
  first[1] = 'e';
  printf("private, not yet written: %s\n", private);
  private[2] = 'L';
  CHECK(pwrite(fd, "mello", 5, 0) == 5);
  printf("private, written: %s, the file: %s\n", private, content(fd, 0, 5));

  pid_t child = fork();
  if (child == 0) {
    first[0] = 'c';
    CHECK(pwrite(fd, "w", 1, 1) == 1);
    _exit(0);
  }
  CHECK(waitpid(child, NULL, 0) == child);
  printf("after a child: %s\n", first);

  struct stat status;
  CHECK(ftruncate(fd, 3) == 0);
  printf("cut: %s|\n", first);
  probe("second page of what was cut", first + page);
  probe("private copies are cut too", private + page);
  first[5] = 'X'; /* beyond the end, on the last page: in memory only */
  CHECK(msync(first, page, MS_SYNC) == 0 && fstat(fd, &status) == 0);
  printf("size %d\n", (int)status.st_size);
  CHECK(ftruncate(fd, 2 * page) == 0);
  printf("grown: %s|%d\n", first, first[page]);
  CHECK(munmap(first, 2 * page) == 0 && munmap(second, page) == 0 && munmap(private, 2 * page) == 0);
}

static void other_calls(int fd) {
  char *mapped = map(fd, MAP_SHARED, 0, 2);
  int pipes[2];
  CHECK(pipe(pipes) == 0);
  memcpy(mapped, "from the mapping", 16);
  off_t at = 0;
  char text[17] = {0};
  CHECK(sendfile(pipes[1], fd, &at, 16) == 16 && read(pipes[0], text, 16) == 16);
  printf("sent: %s\n", text);
  loff_t from = 5, to = page;
  CHECK(copy_file_range(fd, &from, fd, &to, 3, 0) == 3);
  printf("copied: %.3s\n", mapped + page);
  CHECK(munmap(mapped, 2 * page) == 0);
  int memory = memfd_create("memory", 0);
  CHECK(memory >= 0 && write(memory, "from the mapping", 16) == 16);
  mapped = map(memory, MAP_SHARED, 0, 1);
  CHECK(mapped[0] == 'f' && fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4, 1) == 0);
  printf("punched: %.4s %d %.3s\n", mapped, mapped[4], mapped + 5);
  CHECK(munmap(mapped, page) == 0 && close(memory) == 0);
}

/* jr $ra; addiu $v0, $zero, value */
static const uint32_t *answer(uint16_t value) {
  static uint32_t code[2];
  code[0] = 0x03e00008;
  code[1] = 0x24020000 | value;
  return code;
}

static void changed_code(int fd) {
  CHECK(pwrite(fd, answer(1), 8, 0) == 8);
  void *code = mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  CHECK(code != MAP_FAILED);
  int (*volatile call)(void) = (int (*)(void))(uintptr_t)code;
  long sum = 0;
  for (int value = 1; value <= 3; value++) {
    CHECK(pwrite(fd, answer(value), 8, 0) == 8);
    CHECK(cacheflush(code, 8, BCACHE) == 0);
    for (int i = 0; i < 100000; i++) sum += call();
  }
  printf("code: %ld\n", sum);
  char *writable = map(fd, MAP_SHARED, 0, 1);
  memcpy(writable, answer(4), 8);
  CHECK(cacheflush(code, 8, BCACHE) == 0);
  printf("code through another mapping: %d\n", call());
  CHECK(ftruncate(fd, 0) == 0);
  int result = sigsetjmp(env, 1);
  if (result == 0) printf("code that was cut: %d\n", call());
  else printf("code that was cut: signal %d code %d\n", result / 256, result % 256);
}

int main(void) {
  page = sysconf(_SC_PAGESIZE);
  setvbuf(stdout, NULL, _IONBF, 0);
  struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  char name[] = "/tmp/bootlab-mapXXXXXX";
  int fd = mkstemp(name);
  CHECK(fd >= 0 && ftruncate(fd, 2 * page) == 0);
  openings(name, fd);
  unlink(name);
  other_calls(fd);
  changed_code(fd);
  return 0;
}
