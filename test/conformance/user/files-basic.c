#define _GNU_SOURCE
/* Regular files, directories, links, times, locks: what a program sees, without host-dependent values. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path) {
  DIR *directory = opendir(path);
  char *names[64];
  int count = 0;
  struct dirent *entry;
  while ((entry = readdir(directory)) && count < 64) {
    char text[300];
    snprintf(text, sizeof text, "%s:%d", entry->d_name, entry->d_type);
    names[count++] = strdup(text);
  }
  closedir(directory);
  qsort(names, count, sizeof *names, compare);
  for (int i = 0; i < count; i++) printf("  %s\n", names[i]);
}

static void show_stat(const char *path) {
  struct stat s;
  if (lstat(path, &s)) {
    printf("%s: %s\n", path, strerror(errno));
    return;
  }
  printf("%s: mode %o links %d size %lld mtime %ld.%09ld\n", path, s.st_mode, (int)s.st_nlink,
         S_ISDIR(s.st_mode) ? 0LL : (long long)s.st_size, s.st_mtim.tv_sec > 1000000 ? 0 : (long)s.st_mtim.tv_sec,
         s.st_mtim.tv_sec > 1000000 ? 0 : s.st_mtim.tv_nsec);
}

static void regular_files(void) {
  int fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0640);
  char buffer[64] = {0};
  SHOW(fd >= 0);
  SHOW(open("a", O_RDWR | O_CREAT | O_EXCL, 0640));
  SHOW(write(fd, "hello world", 11));
  SHOW(lseek(fd, 0, SEEK_SET));
  SHOW(read(fd, buffer, 5));
  puts(buffer);
  SHOW(pread(fd, buffer, 5, 6));
  puts(buffer);
  SHOW(pwrite(fd, "W", 1, 6));
  SHOW(pread(fd, buffer, 64, 0));
  puts(buffer);
  SHOW(lseek(fd, 0, SEEK_CUR));
  SHOW(lseek(fd, -1, SEEK_SET));
  SHOW(lseek64(fd, 5000000000LL, SEEK_SET));
  SHOW(write(fd, "far", 3));
  SHOW(lseek64(fd, 0, SEEK_END));
  SHOW(pread64(fd, buffer, 3, 5000000000LL));
  SHOW(ftruncate64(fd, 20));
  SHOW(lseek64(fd, 0, SEEK_END));
  struct iovec parts[3] = {{"one", 3}, {"", 0}, {"three", 5}};
  SHOW(writev(fd, parts, 3));
  SHOW(pwritev(fd, parts, 3, 0));
  char x[4], y[8];
  struct iovec into[2] = {{x, 3}, {y, 7}};
  SHOW(preadv(fd, into, 2, 0));
  printf("%.3s|%.7s\n", x, y);
  SHOW(writev(fd, parts, -1));
  SHOW(pread(fd, buffer, 3, -5));
  SHOW(posix_fallocate(fd, 0, 100));
  SHOW(lseek(fd, 0, SEEK_END));
  SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
  SHOW(fcntl(fd, F_SETFL, O_APPEND));
  SHOW((fcntl(fd, F_GETFL) & O_APPEND) != 0);
  SHOW(lseek(fd, 0, SEEK_SET));
  SHOW(write(fd, "end", 3));
  SHOW(lseek(fd, 0, SEEK_CUR));
  SHOW(read(1000, buffer, 1));
  SHOW(lseek(fd, 0, SEEK_SET));
  SHOW(read(fd, (void *)1, 1));
  SHOW(write(fd, (void *)1, 1));
  SHOW(fsync(fd));
  SHOW(close(fd));
  SHOW(close(fd));
  fd = open("a", O_WRONLY);
  SHOW(read(fd, buffer, 1));
  close(fd);
  fd = open("a", O_RDONLY);
  SHOW(write(fd, buffer, 1));
  SHOW(ftruncate(fd, 0));
  close(fd);
  SHOW(open("a/b", O_RDONLY));
  SHOW(open("missing", O_RDONLY));
  SHOW(open("", O_RDONLY));
  SHOW(open(".", O_WRONLY));
  SHOW(open("a", O_RDONLY | O_DIRECTORY));
  SHOW(truncate("a", 4));
  SHOW(truncate("a", -1));
  SHOW(truncate(".", 1));
  show_stat("a");
  int out = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
  fd = open("a", O_RDONLY);
  SHOW(sendfile(out, fd, NULL, 100));
  off_t offset = 1;
  SHOW(sendfile(out, fd, &offset, 2));
  SHOW(offset);
  SHOW(lseek(fd, 0, SEEK_SET));
  SHOW(copy_file_range(fd, NULL, out, NULL, 100, 0));
  SHOW(lseek(out, 0, SEEK_END));
  close(fd);
  close(out);
}

static void names(void) {
  SHOW(mkdir("d", 0755));
  SHOW(mkdir("d", 0755));
  SHOW(mkdir("d/e", 0700));
  SHOW(symlink("a", "link"));
  SHOW(symlink("nowhere", "dangling"));
  SHOW(link("a", "hard"));
  SHOW(link("d", "hard2"));
  SHOW(mkfifo("fifo", 0600));
  list(".");
  show_stat("link");
  show_stat("hard");
  show_stat("dangling");
  char target[16] = {0};
  SHOW(readlink("link", target, sizeof target));
  SHOW(readlink("a", target, sizeof target));
  SHOW(rename("copy", "d/copy"));
  SHOW(rename("d", "d/e/f"));
  SHOW(rename("a", "d"));
  SHOW(rename("d/e", "a"));
  SHOW(rename("hard", "a"));
  show_stat("a");
  SHOW(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "link", 1));
  SHOW(rmdir("d"));
  SHOW(unlink("d"));
  SHOW(rmdir("d/e"));
  SHOW(rmdir("a"));
  SHOW(unlink("missing"));
  SHOW(unlinkat(AT_FDCWD, "d/copy", 0));
  SHOW(access("a", R_OK | W_OK));
  SHOW(access("missing", F_OK));
  SHOW(faccessat(AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
  SHOW(chmod("a", 0444));
  show_stat("a");
  SHOW(chmod("dangling", 0444));
  struct timespec times[2] = {{1000, 5000}, {2000, 250000000}};
  SHOW(utimensat(AT_FDCWD, "a", times, 0));
  show_stat("a");
  struct timespec bad[2] = {{0, 0}, {0, 2000000000}};
  SHOW(utimensat(AT_FDCWD, "a", bad, 0));
  struct timeval old[2] = {{1, 2}, {3, 500000}};
  SHOW(utimes("a", old));
  show_stat("a");
  SHOW(chmod("a", 0644));
  int directory = open("d", O_RDONLY | O_DIRECTORY);
  int fd = openat(directory, "inside", O_CREAT | O_WRONLY, 0600);
  SHOW(fd >= 0);
  close(fd);
  SHOW(openat(1000, "x", O_RDONLY));
  SHOW(openat(0x7fffff, "/nowhere", O_RDONLY));
  SHOW(fchdir(directory));
  list(".");
  SHOW(chdir(".."));
  SHOW(unlinkat(directory, "inside", 0));
  SHOW(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
  SHOW(openat(directory, "y", O_CREAT | O_WRONLY, 0600));
  close(directory);
  SHOW(chdir("a"));
  char path[10];
  SHOW(syscall(SYS_getcwd, path, 1));
  SHOW(umask(0) != 0);
  fd = open("masked", O_CREAT | O_WRONLY, 0666);
  close(fd);
  show_stat("masked");
  struct statfs fs;
  SHOW(statfs(".", &fs));
  SHOW(fs.f_namelen);
  SHOW(statfs("missing", &fs));
  struct statx sx;
  SHOW(syscall(SYS_statx, AT_FDCWD, "a", 0, 0x7ff, &sx));
  printf("%o %llu %u\n", sx.stx_mode, (unsigned long long)sx.stx_size, sx.stx_nlink);
}

static void descriptors(void) {
  int fd = open("a", O_RDWR | O_CLOEXEC);
  SHOW(fcntl(fd, F_GETFD));
  int other = dup(fd);
  SHOW(fcntl(other, F_GETFD));
  SHOW(write(other, "xyz", 3));
  SHOW(lseek(fd, 0, SEEK_CUR));
  SHOW(dup2(fd, 50));
  SHOW(dup2(fd, fd) == fd);
  SHOW(dup3(fd, fd, 0));
  SHOW(dup3(fd, 51, O_CLOEXEC));
  SHOW(fcntl(51, F_GETFD));
  SHOW(fcntl(fd, F_DUPFD, 60));
  SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 60));
  SHOW(fcntl(61, F_GETFD));
  SHOW(fcntl(fd, F_SETFD, 0));
  SHOW(ioctl(fd, FIOCLEX));
  SHOW(fcntl(fd, F_GETFD));
  SHOW(fcntl(fd, 9999));
  int available = -1;
  SHOW(lseek(fd, 1, SEEK_SET));
  SHOW(ioctl(fd, FIONREAD, &available));
  SHOW(available);
  SHOW(isatty(fd));
  for (int number = 50; number < 62; number++) close(number);
  close(other);
  int memory = memfd_create("name", MFD_CLOEXEC);
  SHOW(write(memory, "memory", 6));
  char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  SHOW(memcmp(map, "memory", 6));
  map[0] = 'M';
  munmap(map, 4096);
  char text[8] = {0};
  SHOW(pread(memory, text, 6, 0));
  puts(text);
  close(memory);
  close(fd);
}

static void locks(void) {
  int fd = open("a", O_RDWR);
  int again = open("a", O_RDWR);
  SHOW(flock(fd, LOCK_EX));
  SHOW(flock(again, LOCK_SH | LOCK_NB));
  SHOW(flock(fd, LOCK_UN));
  SHOW(flock(again, LOCK_SH | LOCK_NB));
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10};
  SHOW(fcntl(fd, F_SETLK, &whole));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    struct flock wanted = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    SHOW(fcntl(again, F_GETLK, &wanted));
    printf("type %d start %lld length %lld parent %d\n", wanted.l_type, (long long)wanted.l_start,
           (long long)wanted.l_len, wanted.l_pid == getppid());
    wanted.l_type = F_WRLCK;
    wanted.l_start = 0;
    wanted.l_len = 15;
    SHOW(fcntl(again, F_SETLK, &wanted));
    wanted.l_len = 10;
    SHOW(fcntl(again, F_SETLK, &wanted));
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  close(again); /* releases the locks on the file */
  fflush(stdout);
  child = fork();
  if (child == 0) {
    SHOW(fcntl(fd, F_SETLK, &whole));
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  close(fd);
}

int main(void) {
  char directory[] = "/tmp/files-basic-XXXXXX";
  umask(022);
  if (!mkdtemp(directory) || chdir(directory)) return 1;
  regular_files();
  names();
  descriptors();
  locks();
  const char *left[] = {"a", "link", "dangling", "fifo", "masked"};
  for (unsigned i = 0; i < sizeof left / sizeof *left; i++) SHOW(unlink(left[i]));
  SHOW(chdir("/") || rmdir(directory));
  return 0;
}
