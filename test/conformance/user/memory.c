/* mmap and its relatives, page permissions, the stack's growth, unaligned accesses, shared and private file mappings. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf env;
static volatile int code;

static void fault(int sig, siginfo_t *si, void *context) {
  (void)context;
  code = si->si_code;
  siglongjmp(env, sig);
}

/* What touching an address gives: 0, or signal and code. */
static void probe(const char *what, volatile char *at, int write) {
  int sig = sigsetjmp(env, 1);
  if (sig == 0) {
    if (write) *at = 1;
    else (void)*at;
    printf("%s: ok\n", what);
  } else {
    printf("%s: signal %d code %d\n", what, sig, code);
  }
}

static int depth(int n) {
  volatile char frame[4096];
  frame[0] = (char)n;
  return n == 0 ? frame[0] : depth(n - 1) + frame[0] * 0;
}

struct __attribute__((packed)) odd {
  char pad;
  uint16_t half;
  int16_t shalf;
  uint32_t word;
  double number;
  float single;
};

static __attribute__((noinline)) uint32_t load(const void *at) { return *(const volatile uint32_t *)at; }
static __attribute__((noinline)) int loadh(const void *at) { return *(const volatile int16_t *)at; }
static __attribute__((noinline)) int loadhu(const void *at) { return *(const volatile uint16_t *)at; }
static __attribute__((noinline)) double loadd(const void *at) { return *(const volatile double *)at; }
static __attribute__((noinline)) float loadf(const void *at) { return *(const volatile float *)at; }
static __attribute__((noinline)) void store(void *at, uint32_t v) { *(volatile uint32_t *)at = v; }
static __attribute__((noinline)) void storeh(void *at, uint16_t v) { *(volatile uint16_t *)at = v; }
static __attribute__((noinline)) void stored(void *at, double v) { *(volatile double *)at = v; }
static __attribute__((noinline)) void storef(void *at, float v) { *(volatile float *)at = v; }

/* Unaligned accesses in delay slots: of a branch that is taken, and of one that is not. */
static __attribute__((noinline)) uint32_t load_in_slot(const void *at) {
  uint32_t value;
  __asm__ volatile(".set push\n.set noreorder\nb 1f\nlw %0, 0(%1)\nli %0, 1\n1:\n.set pop" : "=&r"(value) : "r"(at));
  return value;
}
static __attribute__((noinline)) uint32_t load_in_passed_slot(const void *at) {
  uint32_t value;
  __asm__ volatile(".set push\n.set noreorder\nbne $0, $0, 1f\nlw %0, 0(%1)\naddiu %0, %0, 1\n1:\n.set pop"
                   : "=&r"(value)
                   : "r"(at));
  return value;
}
static __attribute__((noinline)) double load_indexed(const void *base, long index) {
  double value;
  __asm__ volatile(".set push\n.set mips32r2\nldxc1 %0, %2(%1)\n.set pop" : "=f"(value) : "r"(base), "r"(index));
  return value;
}
static __attribute__((noinline)) void store_indexed(void *base, long index, double value) {
  __asm__ volatile(".set push\n.set mips32r2\nsdxc1 %0, %2(%1)\n.set pop"
                   :
                   : "f"(value), "r"(base), "r"(index)
                   : "memory");
}

static void in_child(const char *what, void (*run)(void)) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    run();
    _exit(0);
  }
  int status;
  waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) printf("%s: killed by %d\n", what, WTERMSIG(status));
  else printf("%s: exit %d\n", what, WEXITSTATUS(status));
}

int main(void);
static void overflow(void) { depth(1 << 20); }
static void null(void) { *(volatile int *)0 = 0; }
static void text(void) { *(volatile char *)main = 0; }

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  struct sigaction sa = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &sa, NULL);
  sigaction(SIGBUS, &sa, NULL);
  const size_t page = sysconf(_SC_PAGESIZE);
  char *p = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  probe("anonymous read", p, 0);
  probe("anonymous write", p + 3 * page, 1);
  mprotect(p + page, page, PROT_READ);
  probe("read-only read", p + page, 0);
  probe("read-only write", p + page, 1);
  mprotect(p + 2 * page, page, PROT_NONE);
  probe("none read", p + 2 * page, 0);
  munmap(p + 4 * page, page);
  probe("unmapped", p + 4 * page, 0);
  mprotect(p + page, page, PROT_READ | PROT_WRITE);
  probe("writable again", p + page, 1);
  printf("mprotect of a hole: %d %s\n", mprotect(p, 8 * page, PROT_READ), strerror(errno));
  strcpy(p, "kept");
  char *moved = mremap(p, page, 64 * page, MREMAP_MAYMOVE);
  printf("mremap %s %d\n", moved, moved[64 * page - 1]);
  madvise(moved, page, MADV_DONTNEED);
  printf("dropped %d\n", moved[0]);
  char *fixed = mmap(moved + 8 * page, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("fixed %d\n", fixed == moved + 8 * page);

  void *before = sbrk(0);
  sbrk(100000);
  ((char *)before)[99999] = 1;
  printf("brk grew %d\n", (int)((char *)sbrk(0) - (char *)before));
  sbrk(-100000);

  char name[] = "/tmp/bootlab-mapXXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  if (write(fd, "0123456789", 10) != 10) return 1;
  char *shared = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *private = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  printf("mapped %.10s beyond the end %d\n", shared, shared[10]);
  private[1] = 'P';
  shared[0] = 'S';
  msync(shared, page, MS_SYNC);
  char buffer[11] = {0};
  if (pread(fd, buffer, 10, 0) != 10) return 1;
  printf("file %s private %.10s\n", buffer, private);
  probe("page beyond the file", shared + page, 0);
  pid_t pid = fork();
  if (pid == 0) {
    shared[2] = 'C';
    private[3] = 'x';
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  printf("after the child: shared %.10s private %.10s\n", shared, private);
  /* mappings, reads and writes of one file agree, also between processes that map it at different times */
  memcpy(shared, "mapping", 7);
  if (pread(fd, buffer, 10, 0) != 10) return 1;
  printf("read %s\n", buffer);
  if (pwrite(fd, "WRITE", 5, 0) != 5) return 1;
  printf("mapping %.10s\n", shared);
  pid = fork();
  if (pid == 0) {
    char *later = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memcpy(later + 5, "later", 5);
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  printf("both %.10s\n", shared);
  if (ftruncate(fd, 4) < 0 || ftruncate(fd, 2 * page) < 0) return 1;
  printf("truncated %.4s %d, extended %d\n", shared, shared[4], shared[page]);
  if (ftruncate(fd, page) < 0) return 1;
  probe("after truncation", shared + page, 0);
  int ro = open("/proc/self/exe", O_RDONLY);
  printf("writable shared mapping of a read-only file: %s\n",
         mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0) == MAP_FAILED ? strerror(errno) : "ok");

  struct odd odd = {0};
  store(&odd.word, 0x12345678);
  storeh(&odd.half, 0xfedc);
  storeh(&odd.shalf, 0x8001);
  stored(&odd.number, 1.25);
  storef(&odd.single, -2.5f);
  printf("unaligned %x %x %d %g %g\n", load(&odd.word), loadhu(&odd.half), loadh(&odd.shalf), loadd(&odd.number),
         loadf(&odd.single));
  printf("packed %x %x %d %g %g\n", odd.word, odd.half, odd.shalf, odd.number, odd.single);
  printf("in delay slots %x %x\n", load_in_slot(&odd.word), load_in_passed_slot(&odd.word));
  store_indexed(&odd, (char *)&odd.number - (char *)&odd, -7.5);
  printf("indexed %g %g\n", odd.number, load_indexed(&odd, (char *)&odd.number - (char *)&odd));
  char *edge = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(edge + page, page, PROT_NONE);
  int sig = sigsetjmp(env, 1);
  if (sig == 0) load(edge + page - 2);
  else printf("unaligned into a hole: signal %d\n", sig);

  printf("deep stack %d\n", depth(1000));
  in_child("stack overflow", overflow);
  in_child("null", null);
  in_child("text", text);
  return 0;
}
