// The floor of every comparison: recvmmsg into 64 buffers that stay in the cache, and nothing is done with what arrives. Nothing
// that takes packets from a socket one by one, in user space, can cost less. One thread receives; main talks to the harness.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "peer.h"

enum { kBuffers = 64, kBufferBytes = 9216, kQueueBytes = 16 << 20 };

static int fd;
static atomic_uint_fast64_t packets;

static void* receive(void* unused) {
  (void)unused;
  prctl(PR_SET_NAME, "receive");
  static char buffers[kBuffers][kBufferBytes];
  static struct iovec vectors[kBuffers];
  static struct mmsghdr messages[kBuffers];
  for (int i = 0; i < kBuffers; ++i) {
    vectors[i].iov_base = buffers[i];
    vectors[i].iov_len = kBufferBytes;
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (;;) {
    const int got = recvmmsg(fd, messages, kBuffers, MSG_WAITFORONE, NULL);
    if (got > 0) atomic_fetch_add_explicit(&packets, (uint64_t)got, memory_order_relaxed);
  }
  return NULL;
}

static uint64_t drops(void) {
  uint32_t memory[SK_MEMINFO_VARS];
  socklen_t size = sizeof memory;
  return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) == 0 ? memory[SK_MEMINFO_DROPS] : 0;
}

struct snapshot {
  uint64_t time, cpu, thread, packets, drops;
};

static struct snapshot take(void) {
  const struct snapshot s = {now_ns(), process_ns(), thread_ns("receive"), atomic_load(&packets), drops()};
  return s;
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  const int queue = kQueueBytes;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
  if (fd < 0 || bind(fd, (struct sockaddr*)&address, sizeof address) != 0) fail("cannot bind a UDP socket");
  getsockname(fd, (struct sockaddr*)&address, &size);
  pthread_t thread;
  if (pthread_create(&thread, NULL, receive, NULL) != 0) fail("cannot start a thread");
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);

  struct snapshot begin = take();
  char line[256];
  while (next_command(line, sizeof line)) {
    if (is_command(line, "measure")) {
      begin = take();
      printf("{\"measuring\":true}\n");
    } else {
      const struct snapshot end = take();
      printf("{\"seconds\":%.6f,\"packets\":%llu,\"frames\":0,\"lost\":%llu,\"framesLost\":0,\"cpuNs\":%llu,"
             "\"threadNs\":%llu,\"mainNs\":0}\n",
             (double)(end.time - begin.time) / 1e9, (unsigned long long)(end.packets - begin.packets),
             (unsigned long long)(end.drops - begin.drops), (unsigned long long)(end.cpu - begin.cpu),
             (unsigned long long)(end.thread - begin.thread));
    }
    fflush(stdout);
  }
  _exit(0);  // the thread waits for packets that come no more
}
