// What inotify(7) tells of changes that the program makes itself.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int in;

static const struct { unsigned bit; const char *name; } NAMES[] = {
  {IN_ACCESS, "ACCESS"}, {IN_MODIFY, "MODIFY"}, {IN_ATTRIB, "ATTRIB"}, {IN_CLOSE_WRITE, "CLOSE_WRITE"},
  {IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"}, {IN_OPEN, "OPEN"}, {IN_MOVED_FROM, "MOVED_FROM"}, {IN_MOVED_TO, "MOVED_TO"},
  {IN_CREATE, "CREATE"}, {IN_DELETE, "DELETE"}, {IN_DELETE_SELF, "DELETE_SELF"}, {IN_MOVE_SELF, "MOVE_SELF"},
  {IN_Q_OVERFLOW, "Q_OVERFLOW"}, {IN_IGNORED, "IGNORED"}, {IN_ISDIR, "ISDIR"},
};

/** Prints what came since the last time. */
static void told(const char *what) {
  char buffer[65536] __attribute__((aligned(8)));
  static unsigned cookie;
  long count = read(in, buffer, sizeof buffer);
  printf("%s:\n", what);
  for (long at = 0; at < count;) {
    struct inotify_event *e = (void *)(buffer + at);
    printf("  %d", e->wd);
    for (unsigned i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
      if (e->mask & NAMES[i].bit) printf(" %s", NAMES[i].name);
    if (e->mask & IN_MOVED_FROM) cookie = e->cookie, printf(" (cookie %d)", cookie != 0);
    if (e->mask & IN_MOVED_TO) printf(" (cookie %d)", cookie == e->cookie);
    printf(e->len ? " %s (%u)\n" : "\n", e->name, e->len);
    at += sizeof *e + e->len;
  }
}

static void show(const char *what, int result) {
  if (result < 0) printf("%s: %s\n", what, strerror(errno));
  else printf("%s: %d\n", what, result);
}

static void put(const char *path, const char *text) {
  int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
  if (*text && write(fd, text, strlen(text)) < 0) perror(path);
  close(fd);
}

int main(void) {
  char folder[] = "/tmp/bootlab-inotify-XXXXXX", byte;
  if (!mkdtemp(folder) || chdir(folder)) return 1;
  mkdir("d", 0755);
  put("before", "text");
  in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  show("nothing yet", read(in, &byte, 1));
  show("watch", inotify_add_watch(in, ".", IN_ALL_EVENTS));
  show("file", inotify_add_watch(in, "before", IN_ALL_EVENTS));
  show("again", inotify_add_watch(in, "./before", IN_ALL_EVENTS));
  show("exclusive", inotify_add_watch(in, "before", IN_ALL_EVENTS | IN_MASK_CREATE));
  show("no events", inotify_add_watch(in, "before", 0));
  show("only a directory", inotify_add_watch(in, "before", IN_OPEN | IN_ONLYDIR));
  show("nowhere", inotify_add_watch(in, "nowhere", IN_OPEN));
  show("no watch", inotify_rm_watch(in, 77));
  show("no inotify", inotify_add_watch(0, ".", IN_OPEN));

  put("new", "");
  told("an empty file");
  put("new", "words");
  told("rewritten");
  int fd = open("before", O_RDWR);
  if (read(fd, &byte, 1) != 1 || write(fd, "x", 1) != 1 || write(fd, "y", 1) != 1) return 1;
  told("one write after another is one event");
  if (ftruncate(fd, 2) || fchmod(fd, 0600) || lseek(fd, 0, SEEK_SET)) return 1;
  close(fd);
  told("truncated, permissions");
  if (truncate("new", 1) || chmod("new", 0600) || chown("new", getuid(), -1)) return 1;
  struct timespec times[2] = {{1, 0}, {0, UTIME_OMIT}};
  utimensat(AT_FDCWD, "new", times, 0);
  told("by name");
  if (link("before", "second") || symlink("before", "symbolic") || mkfifo("fifo", 0600)) return 1;
  told("links and a FIFO");
  rename("new", "renamed");
  rename("renamed", "d/inside");
  rename("d/inside", "back");
  told("renamed");
  rename("back", "second");
  told("over a file");
  unlink("second");
  unlink("symbolic");
  unlink("fifo");
  told("removed");
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
  int s = socket(AF_UNIX, SOCK_STREAM, 0);
  bind(s, (void *)&address, sizeof address);
  close(s);
  unlink("socket");
  told("a socket");

  show("directory", inotify_add_watch(in, "d", IN_ALL_EVENTS));
  DIR *dir = opendir("d");
  while (readdir(dir)) continue;
  closedir(dir);
  told("listed");
  put("d/a-rather-long-name", "");
  told("in the directory");
  unlink("d/a-rather-long-name");
  rename("d", "e");
  told("the directory renamed");
  mkdir("e/below", 0700);
  rmdir("e/below");
  rmdir("e");
  told("and removed");

  // A file that is open when its last name goes.
  fd = open("before", O_WRONLY);
  unlink("before");
  told("unlinked");
  if (write(fd, "z", 1) != 1) return 1;
  close(fd);
  told("closed");

  put("once", "");
  told("once");
  show("one shot", inotify_add_watch(in, "once", IN_MODIFY | IN_ONESHOT));
  put("once", "1");
  put("once", "2");
  told("one shot");
  show("only deletions", inotify_add_watch(in, ".", IN_DELETE));
  put("other", "");
  told("nothing");
  show("and creations", inotify_add_watch(in, ".", IN_CREATE | IN_MASK_ADD));
  put("more", "");
  unlink("more");
  int available;
  ioctl(in, FIONREAD, &available);
  show("bytes", available);
  errno = 0;
  show("no room for one", read(in, folder, 10));
  told("both");
  show("end", inotify_rm_watch(in, 1));
  put("unseen", "");
  told("ended");

  // Another process makes the change that this one waits for.
  fcntl(in, F_SETFL, 0);
  show("watch", inotify_add_watch(in, ".", IN_CREATE));
  fflush(stdout);
  if (fork() == 0) {
    usleep(20000);
    put("by the child", "");
    _exit(0);
  }
  struct pollfd p = {in, POLLIN, 0};
  show("poll", poll(&p, 1, -1));
  told("by the child");
  wait(NULL);
  unlink("by the child");
  unlink("once");
  unlink("other");
  unlink("unseen");
  if (chdir("/")) return 1;
  show("clean", rmdir(folder));
  return 0;
}
