#define _GNU_SOURCE
/* Pipes, FIFOs, poll, select, epoll, eventfd, timerfd, signalfd: what a program sees. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

static int caught;
static void on_signal(int signal) { caught = signal; }

static short polled(int fd, short events) {
  struct pollfd p = {fd, events, 0};
  return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static void pipes(void) {
  int ends[2];
  static char block[100000];
  int available;
  SHOW(pipe(ends));
  SHOW(polled(ends[0], POLLIN));
  SHOW(polled(ends[1], POLLOUT));
  SHOW(fcntl(ends[1], F_GETPIPE_SZ));
  SHOW(fcntl(ends[1], F_SETFL, O_NONBLOCK));
  SHOW(write(ends[1], block, sizeof block));
  SHOW(write(ends[1], block, 1));
  SHOW(polled(ends[1], POLLOUT));
  SHOW(ioctl(ends[0], FIONREAD, &available));
  SHOW(available);
  SHOW(read(ends[0], block, 10000));
  SHOW(polled(ends[1], POLLOUT));
  SHOW(lseek(ends[0], 0, SEEK_SET));
  SHOW(read(ends[1], block, 1));
  SHOW(write(ends[0], block, 1));
  while (ioctl(ends[0], FIONREAD, &available) == 0 && available) (void)!read(ends[0], block, sizeof block);
  SHOW(fcntl(ends[0], F_SETFL, O_NONBLOCK));
  SHOW(read(ends[0], block, 1));
  SHOW(write(ends[1], "ab", 2));
  close(ends[1]);
  SHOW(polled(ends[0], POLLIN));
  SHOW(read(ends[0], block, 10));
  SHOW(polled(ends[0], POLLIN));
  SHOW(read(ends[0], block, 10));
  close(ends[0]);

  SHOW(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
  SHOW(fcntl(ends[0], F_GETFD));
  close(ends[0]);
  signal(SIGPIPE, on_signal);
  SHOW(write(ends[1], "x", 1));
  SHOW(caught == SIGPIPE);
  SHOW(polled(ends[1], POLLOUT));
  close(ends[1]);

  /* A long write to a slow reader. */
  fflush(stdout);
  SHOW(pipe(ends));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    long total = 0, count;
    while ((count = read(ends[0], block, 3000)) > 0) total += count;
    printf("child read %ld\n", total);
    fflush(stdout);
    _exit(0);
  }
  close(ends[0]);
  for (int i = 0; i < 5; i++) SHOW(write(ends[1], block, sizeof block));
  fflush(stdout);
  close(ends[1]);
  waitpid(child, NULL, 0);
}

static void fifos(void) {
  char path[] = "/tmp/files-fifo-XXXXXX";
  if (!mkdtemp(path) || chdir(path)) return;
  SHOW(mkfifo("f", 0600));
  SHOW(open("f", O_WRONLY | O_NONBLOCK));
  int reader = open("f", O_RDONLY | O_NONBLOCK);
  SHOW(reader >= 0);
  char byte;
  SHOW(read(reader, &byte, 1));
  SHOW(polled(reader, POLLIN));
  int writer = open("f", O_WRONLY);
  SHOW(read(reader, &byte, 1));
  SHOW(write(writer, "x", 1));
  SHOW(polled(reader, POLLIN));
  SHOW(read(reader, &byte, 1));
  close(writer);
  SHOW(polled(reader, POLLIN));
  close(reader);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    int fd = open("f", O_WRONLY); /* waits for the reader */
    _exit(write(fd, "from child", 10) != 10);
  }
  reader = open("f", O_RDONLY);
  char text[20] = {0};
  SHOW(read(reader, text, sizeof text - 1));
  puts(text);
  waitpid(child, NULL, 0);
  SHOW(unlink("f"));
  SHOW(chdir("/") || rmdir(path));
}

static void polling(void) {
  int ends[2], more[2];
  SHOW(pipe(ends) || pipe(more));
  struct pollfd set[3] = {{ends[0], POLLIN, 7}, {-5, POLLIN, 7}, {999, POLLIN, 0}};
  SHOW(poll(set, 3, 1000));
  printf("%d %d %d\n", set[0].revents, set[1].revents, set[2].revents);
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  SHOW(poll(set, 2, 50));
  clock_gettime(CLOCK_MONOTONIC, &end);
  long elapsed = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
  SHOW(elapsed >= 50 && elapsed < 1000);
  fd_set read_set, write_set;
  FD_ZERO(&read_set);
  FD_ZERO(&write_set);
  FD_SET(ends[0], &read_set);
  FD_SET(more[1], &write_set);
  SHOW(select(100, &read_set, &write_set, NULL, NULL));
  printf("%d %d\n", !!FD_ISSET(ends[0], &read_set), !!FD_ISSET(more[1], &write_set));
  FD_SET(ends[0], &read_set);
  struct timeval timeout = {0, 10000};
  SHOW(select(100, &read_set, NULL, NULL, &timeout));
  SHOW(FD_ISSET(ends[0], &read_set));
  FD_ZERO(&read_set);
  FD_SET(900, &read_set);
  SHOW(select(901, &read_set, NULL, NULL, &timeout));
  /* A signal that ppoll lets through. */
  sigset_t blocked, none;
  sigemptyset(&none);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  signal(SIGUSR1, on_signal);
  kill(getpid(), SIGUSR1);
  SHOW(poll(set, 1, 0));
  caught = 0;
  SHOW(ppoll(set, 1, NULL, &none));
  SHOW(caught == SIGUSR1);
  close(ends[0]), close(ends[1]), close(more[0]), close(more[1]);
}

static void show_events(int epoll, int timeout) {
  struct epoll_event events[8];
  int count = epoll_wait(epoll, events, 8, timeout);
  printf("epoll_wait = %d", count);
  for (int i = 0; i < count; i++) printf(" %x:%llx", events[i].events, (unsigned long long)events[i].data.u64);
  puts("");
}

static void epolls(void) {
  int ends[2], epoll = epoll_create1(EPOLL_CLOEXEC);
  SHOW(pipe2(ends, O_NONBLOCK));
  struct epoll_event event = {EPOLLIN, {.u64 = 0x1122334455667788ULL}};
  SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
  SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
  SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, epoll, &event));
  SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[1], &event));
  SHOW(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[1], NULL));
  SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, 999, &event));
  SHOW(epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], &event));
  int file = open("/etc/passwd", O_RDONLY);
  SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event));
  show_events(epoll, 0);
  SHOW(write(ends[1], "abc", 3));
  show_events(epoll, -1);
  show_events(epoll, -1);
  event.events = EPOLLIN | EPOLLET;
  SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event));
  show_events(epoll, 0);
  show_events(epoll, 0);
  SHOW(write(ends[1], "d", 1));
  show_events(epoll, 0);
  show_events(epoll, 10);
  event.events = EPOLLIN | EPOLLONESHOT;
  SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event));
  show_events(epoll, 0);
  SHOW(write(ends[1], "e", 1));
  show_events(epoll, 0);
  SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event));
  show_events(epoll, 0);
  event.events = EPOLLIN;
  SHOW(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event));
  int outer = epoll_create(1);
  struct epoll_event nested = {EPOLLIN, {.u64 = 5}};
  SHOW(epoll_ctl(outer, EPOLL_CTL_ADD, epoll, &nested));
  SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, outer, &nested));
  show_events(outer, 0);
  char buffer[10];
  SHOW(read(ends[0], buffer, 10));
  show_events(outer, 0);
  struct epoll_event out = {EPOLLOUT, {.u64 = 6}};
  SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &out));
  show_events(outer, 0);
  int copy = dup(ends[1]);
  close(ends[1]);
  show_events(epoll, 0); /* the file is still open */
  close(copy);
  show_events(epoll, 0);
  SHOW(epoll_wait(epoll, NULL, 0, 0));
  close(ends[0]), close(epoll), close(outer), close(file);
}

static void counters(void) {
  int fd = eventfd(3, EFD_NONBLOCK);
  uint64_t value = 0;
  SHOW(polled(fd, POLLIN | POLLOUT));
  SHOW(read(fd, &value, 8));
  SHOW(value);
  SHOW(read(fd, &value, 8));
  SHOW(read(fd, &value, 4));
  value = 0x100000001ULL;
  SHOW(write(fd, &value, 8));
  SHOW(write(fd, &value, 8));
  value = UINT64_MAX;
  SHOW(write(fd, &value, 8));
  SHOW(read(fd, &value, 8));
  SHOW(value);
  value = UINT64_MAX - 1;
  SHOW(write(fd, &value, 8));
  value = 1;
  SHOW(write(fd, &value, 8));
  SHOW(polled(fd, POLLIN | POLLOUT));
  close(fd);
  fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
  SHOW(read(fd, &value, 8));
  SHOW(value);
  SHOW(read(fd, &value, 8));
  SHOW(read(fd, &value, 8));
  close(fd);

  fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  SHOW(read(fd, &value, 8));
  struct itimerspec setting = {{0, 20000000}, {0, 30000000}}, now;
  SHOW(timerfd_settime(fd, 0, &setting, NULL));
  SHOW(timerfd_gettime(fd, &now));
  SHOW(now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 30000000);
  SHOW(now.it_interval.tv_nsec);
  SHOW(polled(fd, POLLIN));
  struct pollfd p = {fd, POLLIN, 0};
  SHOW(poll(&p, 1, 2000));
  SHOW(read(fd, &value, 8));
  SHOW(value >= 1);
  setting = (struct itimerspec){{0, 0}, {0, 0}};
  SHOW(timerfd_settime(fd, 0, &setting, NULL));
  setting.it_value.tv_nsec = 1000000000;
  SHOW(timerfd_settime(fd, 0, &setting, NULL));
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  setting.it_value = time;
  SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL));
  SHOW(poll(&p, 1, 2000));
  SHOW(read(fd, &value, 8));
  SHOW(value);
  SHOW(timerfd_create(12345, 0));
  close(fd);

  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  fd = signalfd(-1, &mask, SFD_NONBLOCK);
  struct signalfd_siginfo info;
  SHOW(polled(fd, POLLIN));
  SHOW(read(fd, &info, sizeof info));
  kill(getpid(), SIGUSR2);
  SHOW(polled(fd, POLLIN));
  SHOW(read(fd, &info, 10));
  SHOW(read(fd, &info, sizeof info));
  SHOW(info.ssi_signo == SIGUSR2 && info.ssi_pid == (uint32_t)getpid());
  SHOW(read(fd, &info, sizeof info));
  close(fd);
}

int main(void) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  pipes();
  fifos();
  polling();
  epolls();
  counters();
  return 0;
}
