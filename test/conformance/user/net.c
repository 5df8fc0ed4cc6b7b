// Internet sockets beyond the guest: argv[1] says what to do, argv[2] is a port of the host.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in at(const char *host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

static void show(const char *what, long result) {
  if (result < 0) printf("%s: %s\n", what, strerror(errno));
  else printf("%s: %ld\n", what, result);
}

static void refused(int port) {
  struct sockaddr_in world = at("192.0.2.1", 9), own = at("127.0.0.1", port), any = at("0.0.0.0", 0);
  int s = socket(AF_INET, SOCK_STREAM, 0);
  show("world", connect(s, (void *)&world, sizeof world));
  show("own", connect(s, (void *)&own, sizeof own));
  int d = socket(AF_INET, SOCK_DGRAM, 0);
  show("datagram", sendto(d, "x", 1, 0, (void *)&world, sizeof world));
  show("bind", bind(d, (void *)&any, sizeof any));
  own.sin_port = 0;
  show("bind own", bind(s, (void *)&own, sizeof own));
}

/** Sends what standard input has, and prints what comes back, until the other side ends. */
static void client(int port, int nonblocking) {
  char buffer[65536];
  struct sockaddr_in server = at("127.0.0.1", port), name;
  socklen_t length = sizeof name;
  int s = socket(AF_INET, SOCK_STREAM | (nonblocking ? SOCK_NONBLOCK : 0), 0);
  int result = connect(s, (void *)&server, sizeof server);
  if (nonblocking) {
    show("connect", result);
    show("again", connect(s, (void *)&server, sizeof server));
    struct pollfd p = {s, POLLOUT, 0};
    show("poll", poll(&p, 1, -1));
    int error = -1;
    length = sizeof error;
    getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &length);
    show("SO_ERROR", error);
    fcntl(s, F_SETFL, 0);
    length = sizeof name;
  } else if (result < 0) {
    perror("connect");
    exit(1);
  }
  getsockname(s, (void *)&name, &length);
  fprintf(stderr, "from %s %d\n", inet_ntoa(name.sin_addr), ntohs(name.sin_port) != 0);
  getpeername(s, (void *)&name, &length);
  fprintf(stderr, "to %s %d\n", inet_ntoa(name.sin_addr), ntohs(name.sin_port) == port);
  long count;
  while ((count = read(0, buffer, sizeof buffer)) > 0)
    if (write(s, buffer, count) != count) perror("write");
  shutdown(s, SHUT_WR);
  while ((count = read(s, buffer, sizeof buffer)) > 0) fwrite(buffer, 1, count, stdout);
  fflush(stdout);
  show("end", count);
}

/** Sends a lot and leaves at once. */
static void leave(int port) {
  static char block[100000];
  struct sockaddr_in server = at("127.0.0.1", port);
  int s = socket(AF_INET, SOCK_STREAM, 0);
  memset(block, 'x', sizeof block);
  connect(s, (void *)&server, sizeof server);
  show("sent", write(s, block, sizeof block));
}

/** Serves two connections on a port that it prints. */
static void serve(void) {
  char line[256];
  struct sockaddr_in any = at("127.0.0.1", 0), name;
  socklen_t length = sizeof name;
  int s = socket(AF_INET, SOCK_STREAM, 0);
  bind(s, (void *)&any, sizeof any);
  listen(s, 5);
  getsockname(s, (void *)&name, &length);
  printf("port %d\n", ntohs(name.sin_port));
  fflush(stdout);
  for (int i = 0; i < 2; i++) {
    int c = accept(s, (void *)&name, &length);
    long count = read(c, line, sizeof line);
    printf("request %.*s from %s\n", (int)count, line, inet_ntoa(name.sin_addr));
    fflush(stdout);
    dprintf(c, "answer %d to %.*s", i, (int)count, line);
    close(c);
  }
}

static void datagrams(int port) {
  char buffer[64];
  struct sockaddr_in server = at("127.0.0.1", port), any = at("127.0.0.1", 0), from;
  socklen_t length = sizeof from;
  int unconnected = socket(AF_INET, SOCK_DGRAM, 0);
  sendto(unconnected, "one", 3, 0, (void *)&server, sizeof server);
  long count = recvfrom(unconnected, buffer, sizeof buffer, 0, (void *)&from, &length);
  printf("%.*s from %s %d\n", (int)count, buffer, inet_ntoa(from.sin_addr), ntohs(from.sin_port) == port);
  int bound = socket(AF_INET, SOCK_DGRAM, 0);
  show("bind", bind(bound, (void *)&any, sizeof any));
  show("connect", connect(bound, (void *)&server, sizeof server));
  show("send", send(bound, "two", 3, 0));
  count = recv(bound, buffer, sizeof buffer, 0);
  printf("%.*s\n", (int)count, buffer);
  getsockname(bound, (void *)&from, &length);
  // Another socket of the guest reaches the first one inside the guest.
  connect(unconnected, (void *)&from, sizeof from);
  struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
  connect(bound, &unspecified, sizeof unspecified);
  show("write", write(unconnected, "within", 6));
  count = recv(bound, buffer, sizeof buffer, 0);
  printf("%.*s\n", (int)count, buffer);
}

int main(int argc, char **argv) {
  int port = argc > 2 ? atoi(argv[2]) : 0;
  if (!strcmp(argv[1], "refused")) refused(port);
  else if (!strcmp(argv[1], "client")) client(port, 0);
  else if (!strcmp(argv[1], "nonblocking")) client(port, 1);
  else if (!strcmp(argv[1], "leave")) leave(port);
  else if (!strcmp(argv[1], "serve")) serve();
  else datagrams(port);
  return 0;
}
