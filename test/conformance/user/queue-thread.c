// mq_notify(3) with SIGEV_THREAD: a thread for the message that comes into an empty queue.
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static sem_t told;
static mqd_t queue;

static void on_message(union sigval value) {
  char text[64] = "";
  unsigned priority = 0;
  long bytes = mq_receive(queue, text, sizeof text, &priority);
  printf("told of %d: %s, %ld bytes, priority %u\n", value.sival_int, text, bytes, priority);
  sem_post(&told);
}

static int ask(int number) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_message};
  event.sigev_value.sival_int = number;
  return mq_notify(queue, &event);
}

int main(void) {
  struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = sizeof(char[64])};
  mq_unlink("/bootlab-thread");
  queue = mq_open("/bootlab-thread", O_CREAT | O_RDWR | O_EXCL, 0600, &attributes);
  sem_init(&told, 0, 0);
  for (int i = 1; i <= 3; i++) {
    printf("ask %d\n", ask(i));
    printf("again: %s\n", ask(i) ? strerror(errno) : "done");
    mq_send(queue, "message", 8, i);
    sem_wait(&told);
  }
  printf("ask %d\n", ask(4));
  printf("take back %d\n", mq_notify(queue, NULL));
  mq_send(queue, "nobody", 7, 0);
  printf("waits for a second: %s\n", sem_trywait(&told) ? "not told" : "told");
  mq_close(queue);
  mq_unlink("/bootlab-thread");
  int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
  printf("netlink socket %d\n", netlink >= 0);
  return 0;
}
