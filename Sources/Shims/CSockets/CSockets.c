#define _GNU_SOURCE
#include "CSockets.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static inline long sk_result(long r) { return r < 0 ? -(long)errno : r; }

_Static_assert(SK_IN == EPOLLIN && SK_OUT == EPOLLOUT && SK_RDHUP == EPOLLRDHUP, "epoll's bits");
_Static_assert(SK_ERR == EPOLLERR && SK_HUP == EPOLLHUP, "epoll's bits");
_Static_assert(sizeof(sk_part) == sizeof(struct iovec), "a part is an iovec");

int sk_epoll_create(void) { return (int)sk_result(epoll_create1(EPOLL_CLOEXEC)); }

static int sk_epoll_ctl(int epfd, int op, int fd, uint32_t events, uint64_t tag) {
  struct epoll_event e = {.events = events, .data = {.u64 = tag}};
  return (int)sk_result(epoll_ctl(epfd, op, fd, &e));
}

int sk_epoll_add(int epfd, int fd, uint32_t events, uint64_t tag) {
  return sk_epoll_ctl(epfd, EPOLL_CTL_ADD, fd, events, tag);
}

int sk_epoll_modify(int epfd, int fd, uint32_t events, uint64_t tag) {
  return sk_epoll_ctl(epfd, EPOLL_CTL_MOD, fd, events, tag);
}

int sk_epoll_remove(int epfd, int fd) { return sk_epoll_ctl(epfd, EPOLL_CTL_DEL, fd, 0, 0); }

int sk_epoll_wait(int epfd, sk_event *out, int max, int timeout_ms) {
  struct epoll_event raw[SK_EVENTS_MAX];
  if (max > SK_EVENTS_MAX) max = SK_EVENTS_MAX;
  int n = epoll_wait(epfd, raw, max, timeout_ms);
  if (n < 0) return -errno;
  for (int i = 0; i < n; i++) {
    out[i].events = raw[i].events;
    out[i].tag = raw[i].data.u64;
  }
  return n;
}

int sk_eventfd(void) { return (int)sk_result(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

void sk_eventfd_wake(int fd) {
  uint64_t one = 1;
  ssize_t ignored = write(fd, &one, sizeof one);  // full means: already awake
  (void)ignored;
}

void sk_eventfd_clear(int fd) {
  uint64_t count;
  ssize_t ignored = read(fd, &count, sizeof count);
  (void)ignored;
}

int sk_timerfd(void) {
  return (int)sk_result(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
}

int sk_timerfd_arm(int fd, int64_t at_ms) {
  struct itimerspec spec = {.it_value = {.tv_sec = at_ms / 1000, .tv_nsec = (at_ms % 1000) * 1000000}};
  return (int)sk_result(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, 0));
}

int sk_socket(int family) {
  return (int)sk_result(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int sk_accept(int fd, void *peer, uint32_t *length) {
  return (int)sk_result(accept4(fd, (struct sockaddr *)peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int sk_bind(int fd, const void *address, uint32_t length) {
  return (int)sk_result(bind(fd, (const struct sockaddr *)address, length));
}

int sk_connect(int fd, const void *address, uint32_t length) {
  return (int)sk_result(connect(fd, (const struct sockaddr *)address, length));
}

int sk_listen(int fd, int backlog) { return (int)sk_result(listen(fd, backlog)); }

int64_t sk_peer_user(int fd) {
  struct ucred peer;
  socklen_t length = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -errno;
  return peer.uid;
}

int sk_local_address(int fd, void *address, uint32_t *length) {
  return (int)sk_result(getsockname(fd, (struct sockaddr *)address, length));
}

int sk_set_option(int fd, int level, int name, int value) {
  return (int)sk_result(setsockopt(fd, level, name, &value, sizeof value));
}

int sk_set_unsent_max(int fd, int bytes) {
  return sk_set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
}

int sk_set_nodelay(int fd) { return sk_set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

int sk_set_reuseaddr(int fd) { return sk_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1); }

int sk_set_v6only(int fd) { return sk_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1); }

void sk_close_abruptly(int fd) {
  struct linger hard = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(fd);
}

int sk_pending_error(int fd) {
  int value = 0;
  uint32_t length = sizeof value;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length) < 0) return errno;
  return value;
}

int sk_unacknowledged(int fd) {
  int value = 0;
  if (ioctl(fd, SIOCOUTQ, &value) < 0) return 0;
  return value;
}

long sk_receive(int fd, void *out, size_t count) { return sk_result(recv(fd, out, count, 0)); }

long sk_send(int fd, const void *bytes, size_t count) {
  return sk_result(send(fd, bytes, count, MSG_NOSIGNAL));
}

long sk_send_gathered(int fd, sk_part *parts, int count) {
  struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
  return sk_result(sendmsg(fd, &message, MSG_NOSIGNAL));
}

int sk_shutdown_write(int fd) { return (int)sk_result(shutdown(fd, SHUT_WR)); }
