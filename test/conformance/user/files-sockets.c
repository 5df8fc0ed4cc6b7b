#define _GNU_SOURCE
/* Sockets between processes of one machine: AF_UNIX and the loopback interface. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "show.h"

static int polled(int fd, short events) {
  struct pollfd p = {fd, events, 0};
  return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static socklen_t unix_address(struct sockaddr_un *address, const char *path, size_t length) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, path, length);
  return offsetof(struct sockaddr_un, sun_path) + length;
}

static int option(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, name, &value, &length) ? -errno : value;
}

static void send_descriptor(int socket, int fd) {
  char control[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec part = {"F", 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  SHOW(sendmsg(socket, &message, 0));
}

static int receive_descriptor(int socket, size_t room) {
  char control[CMSG_SPACE(sizeof(int))] = {0}, byte[4];
  struct iovec part = {byte, 4};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
  SHOW(recvmsg(socket, &message, MSG_CMSG_CLOEXEC));
  printf("flags %x control %d\n", message.msg_flags, message.msg_controllen >= CMSG_LEN(sizeof(int)));
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  int fd = -1;
  if (header && header->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

static void pairs(void) {
  int s[2];
  char buffer[100];
  SHOW(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
  SHOW(fcntl(s[0], F_GETFD));
  SHOW(option(s[0], SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
  SHOW(option(s[0], SOL_SOCKET, SO_DOMAIN));
  SHOW(option(s[0], SOL_SOCKET, SO_ERROR));
  SHOW(polled(s[0], POLLIN | POLLOUT));
  SHOW(write(s[0], "hello", 5));
  SHOW(send(s[0], "world", 5, 0));
  SHOW(polled(s[1], POLLIN | POLLOUT));
  SHOW(recv(s[1], buffer, 7, MSG_PEEK));
  SHOW(recv(s[1], buffer, 100, 0));
  printf("%.10s\n", buffer);
  SHOW(recv(s[1], buffer, 100, MSG_DONTWAIT));
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  SHOW(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &credentials, &length));
  SHOW(credentials.pid == getpid());
  int pipes[2];
  if (pipe(pipes)) return;
  send_descriptor(s[0], pipes[1]);
  close(pipes[1]);
  int received = receive_descriptor(s[1], CMSG_SPACE(sizeof(int)));
  SHOW(fcntl(received, F_GETFD));
  SHOW(write(received, "passed", 6));
  close(received);
  SHOW(read(pipes[0], buffer, 10));
  SHOW(read(pipes[0], buffer, 10));
  send_descriptor(s[0], pipes[0]);
  receive_descriptor(s[1], 4);
  SHOW(shutdown(s[0], SHUT_WR));
  SHOW(polled(s[1], POLLIN | POLLRDHUP));
  SHOW(read(s[1], buffer, 10));
  signal(SIGPIPE, SIG_IGN);
  SHOW(write(s[0], "x", 1));
  SHOW(write(s[1], "back", 4));
  SHOW(read(s[0], buffer, 10));
  close(s[1]);
  SHOW(polled(s[0], POLLIN | POLLOUT));
  SHOW(write(s[0], "x", 1));
  close(s[0]);
  close(pipes[0]);

  SHOW(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
  SHOW(send(s[0], "first", 5, 0));
  SHOW(send(s[0], "second", 6, 0));
  SHOW(recv(s[1], buffer, 3, MSG_TRUNC));
  SHOW(recv(s[1], buffer, 100, 0));
  close(s[0]);
  SHOW(recv(s[1], buffer, 100, 0));
  close(s[1]);
  SHOW(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
  SHOW(send(s[0], "", 0, 0));
  SHOW(send(s[0], "datagram", 8, 0));
  SHOW(recv(s[1], buffer, 100, 0));
  SHOW(recv(s[1], buffer, 100, 0));
  close(s[1]);
  SHOW(send(s[0], "x", 1, 0));
  close(s[0]);
  SHOW(socketpair(AF_INET, SOCK_STREAM, 0, s));
  SHOW(socket(77, SOCK_STREAM, 0));
}

static void named(void) {
  char directory[] = "/tmp/files-sockets-XXXXXX";
  if (!mkdtemp(directory) || chdir(directory)) return;
  struct sockaddr_un address, peer;
  char buffer[100];
  socklen_t length = unix_address(&address, "server", 7);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  SHOW(connect(client, (struct sockaddr *)&address, length));
  SHOW(bind(listener, (struct sockaddr *)&address, length));
  SHOW(connect(client, (struct sockaddr *)&address, length));
  SHOW(listen(listener, 5));
  int other = socket(AF_UNIX, SOCK_STREAM, 0);
  SHOW(bind(other, (struct sockaddr *)&address, length));
  close(other);
  struct stat s;
  SHOW(lstat("server", &s));
  SHOW(S_ISSOCK(s.st_mode));
  SHOW(open("server", O_RDWR));
  SHOW(polled(listener, POLLIN));
  SHOW(connect(client, (struct sockaddr *)&address, length));
  SHOW(connect(client, (struct sockaddr *)&address, length));
  SHOW(option(listener, SOL_SOCKET, SO_ACCEPTCONN));
  SHOW(polled(listener, POLLIN));
  length = sizeof peer;
  int server = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK);
  SHOW(server >= 0);
  SHOW(length);
  SHOW(read(server, buffer, 1));
  length = sizeof peer;
  SHOW(getpeername(client, (struct sockaddr *)&peer, &length));
  printf("%d %s\n", length, peer.sun_path);
  length = sizeof peer;
  SHOW(getsockname(client, (struct sockaddr *)&peer, &length));
  SHOW(length);
  SHOW(write(client, "to server", 9));
  SHOW(read(server, buffer, 100));
  close(client);
  SHOW(read(server, buffer, 100));
  close(server);
  close(listener);
  client = socket(AF_UNIX, SOCK_STREAM, 0);
  length = unix_address(&address, "server", 7);
  SHOW(connect(client, (struct sockaddr *)&address, length));
  SHOW(read(client, buffer, 1));
  close(client);
  SHOW(unlink("server"));

  int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  length = unix_address(&address, "\0abstract", 9);
  SHOW(bind(a, (struct sockaddr *)&address, length));
  SHOW(sendto(b, "anonymous", 9, 0, (struct sockaddr *)&address, length));
  SHOW(send(b, "nowhere", 7, 0));
  socklen_t peer_length = sizeof peer;
  SHOW(recvfrom(a, buffer, 4, MSG_TRUNC, (struct sockaddr *)&peer, &peer_length));
  SHOW(peer_length);
  length = unix_address(&peer, "datagram", 9);
  SHOW(bind(b, (struct sockaddr *)&peer, length));
  length = unix_address(&address, "\0abstract", 9);
  SHOW(connect(b, (struct sockaddr *)&address, length));
  SHOW(send(b, "named", 5, 0));
  peer_length = sizeof peer;
  SHOW(recvfrom(a, buffer, 100, 0, (struct sockaddr *)&peer, &peer_length));
  printf("%d %s\n", peer_length, peer.sun_path);
  int sent = 0;
  while (send(b, "fill", 4, 0) == 4) sent++;
  SHOW(errno == EAGAIN && sent > 5);
  close(a);
  SHOW(send(b, "gone", 4, 0));
  close(b);
  SHOW(unlink("datagram"));
  SHOW(chdir("/") || rmdir(directory));
}

static void internet(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, peer;
  socklen_t length = sizeof address;
  char buffer[100];
  int listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), one = 1;
  SHOW(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
  SHOW(option(listener, SOL_SOCKET, SO_REUSEADDR));
  SHOW(option(listener, SOL_SOCKET, SO_PROTOCOL));
  SHOW(bind(listener, (struct sockaddr *)&address, length));
  SHOW(getsockname(listener, (struct sockaddr *)&address, &length));
  SHOW(length);
  SHOW(ntohl(address.sin_addr.s_addr) == INADDR_LOOPBACK && address.sin_port != 0);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  SHOW(connect(client, (struct sockaddr *)&address, length));
  close(client);
  SHOW(listen(listener, 3));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, length)) _exit(1);
    if (write(fd, "from the child", 14) != 14) _exit(2);
    long total = 0, count;
    while ((count = read(fd, buffer, sizeof buffer)) > 0) total += count;
    _exit(total == 300000 ? 0 : 3);
  }
  length = sizeof peer;
  int server = accept(listener, (struct sockaddr *)&peer, &length);
  SHOW(server >= 0 && ntohl(peer.sin_addr.s_addr) == INADDR_LOOPBACK);
  SHOW(setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
  SHOW(recv(server, buffer, 14, MSG_WAITALL));
  static char block[300000];
  SHOW(write(server, block, sizeof block));
  SHOW(shutdown(server, SHUT_WR));
  int status;
  waitpid(child, &status, 0);
  SHOW(status);
  SHOW(read(server, buffer, 10));
  close(server);
  close(listener);

  int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  address.sin_port = 0;
  length = sizeof address;
  SHOW(bind(a, (struct sockaddr *)&address, length));
  getsockname(a, (struct sockaddr *)&address, &length);
  SHOW(send(b, "x", 1, 0));
  SHOW(sendto(b, "one", 3, 0, (struct sockaddr *)&address, length));
  SHOW(connect(b, (struct sockaddr *)&address, length));
  SHOW(send(b, "three", 5, 0));
  length = sizeof peer;
  SHOW(recvfrom(a, buffer, 100, 0, (struct sockaddr *)&peer, &length));
  SHOW(recvfrom(a, buffer, 2, 0, (struct sockaddr *)&peer, &length));
  SHOW(sendto(a, "reply", 5, 0, (struct sockaddr *)&peer, length));
  SHOW(recv(b, buffer, 100, 0));
  SHOW(recv(b, buffer, 100, 0));
  close(a), close(b);

  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
  length = sizeof six;
  listener = socket(AF_INET6, SOCK_STREAM, 0);
  SHOW(bind(listener, (struct sockaddr *)&six, length));
  SHOW(listen(listener, 1));
  getsockname(listener, (struct sockaddr *)&six, &length);
  client = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_port = six.sin6_port;
  SHOW(connect(client, (struct sockaddr *)&address, sizeof address));
  length = sizeof six;
  server = accept(listener, (struct sockaddr *)&six, &length);
  char text[64];
  puts(inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text));
  close(client), close(server), close(listener);
  address.sin_addr.s_addr = inet_addr("192.0.2.1");
  listener = socket(AF_INET, SOCK_STREAM, 0);
  SHOW(bind(listener, (struct sockaddr *)&address, sizeof address));
  address.sin_family = 99;
  SHOW(connect(listener, (struct sockaddr *)&address, sizeof address));
  close(listener);
}

int main(void) {
  pairs();
  named();
  internet();
  return 0;
}
