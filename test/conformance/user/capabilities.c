// Capabilities as libcap asks for them: capget(2) with and without a version, prctl(2) PR_CAPBSET_READ up to its end.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *result(long value) { return value < 0 ? strerror(errno) : "done"; }

static long get(struct __user_cap_header_struct *header, struct __user_cap_data_struct *data) {
  return syscall(SYS_capget, header, data);
}

int main(void) {
  struct __user_cap_data_struct data[2];
  struct __user_cap_header_struct header = {0, 0};
  printf("which version: %s", result(get(&header, NULL)));
  printf(", %#x\n", header.version);
  header.version = 1;
  printf("unknown version: %s", result(get(&header, data)));
  printf(", %#x\n", header.version);
  memset(data, 0xff, sizeof data);
  printf("own: %s", result(get(&header, data)));
  printf(", some where root %d, none of 64 missing bits %d\n", (data[0].effective != 0) == (geteuid() == 0),
         (data[1].effective & 0xfffffe00) == 0);
  header.pid = 999999;
  printf("of nobody: %s\n", result(get(&header, data)));
  header.pid = -1;
  printf("of all: %s\n", result(get(&header, data)));

  unsigned long last = 0;
  while (last < 1000 && prctl(PR_CAPBSET_READ, last, 0, 0, 0) >= 0) last++;
  printf("bounding set: ends %d, with %s\n", last >= 38 && last <= 64, strerror(errno));
  return 0;
}
