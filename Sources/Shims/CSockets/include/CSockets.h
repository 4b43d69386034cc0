// epoll, wakes and sockets as Swift can call them: `epoll_event` is packed, `eventfd` and friends hide behind
// macros. Every call answers a result, or the negated errno, so that Swift never reads errno at a distance.
#ifndef THROUGHLINE_CSOCKETS_H
#define THROUGHLINE_CSOCKETS_H

#include <stddef.h>
#include <stdint.h>

// MARK: epoll

// `struct epoll_event` is packed on x86-64 alone; Swift's importer cannot see that.
typedef struct {
  uint32_t events;
  uint64_t tag;
} sk_event;

enum {
  SK_IN = 0x001,
  SK_OUT = 0x004,
  SK_RDHUP = 0x2000,
  SK_ERR = 0x008,
  SK_HUP = 0x010
};

int sk_epoll_create(void);

int sk_epoll_add(int epfd, int fd, uint32_t events, uint64_t tag);
int sk_epoll_modify(int epfd, int fd, uint32_t events, uint64_t tag);
int sk_epoll_remove(int epfd, int fd);

#define SK_EVENTS_MAX 512
int sk_epoll_wait(int epfd, sk_event *out, int max, int timeout_ms);

// MARK: wakes and timers

int sk_eventfd(void);
void sk_eventfd_wake(int fd);
void sk_eventfd_clear(int fd);

int sk_timerfd(void);
/// Arms for an absolute instant of the monotonic clock; 0 disarms.
int sk_timerfd_arm(int fd, int64_t at_ms);

// MARK: sockets

/// One piece of a gathered write, as `struct iovec`.
typedef struct {
  const void *bytes;
  size_t count;
} sk_part;

int sk_socket(int family);
int sk_accept(int fd, void *peer, uint32_t *length);
int sk_bind(int fd, const void *address, uint32_t length);
int sk_connect(int fd, const void *address, uint32_t length);
int sk_listen(int fd, int backlog);
/// The user who connected to a Unix socket, as the kernel saw it then.
int64_t sk_peer_user(int fd);
int sk_local_address(int fd, void *address, uint32_t *length);
int sk_set_option(int fd, int level, int name, int value);
int sk_set_nodelay(int fd);
/// Bytes that the kernel takes to be sent past those that are on their way.
int sk_set_unsent_max(int fd, int bytes);
int sk_set_reuseaddr(int fd);
int sk_set_v6only(int fd);
/// A close that sends RST and keeps no TIME_WAIT.
void sk_close_abruptly(int fd);
/// The socket's pending error as a positive errno, or 0.
int sk_pending_error(int fd);
/// Bytes sent, our end among them, that the peer's kernel has not yet acknowledged.
int sk_unacknowledged(int fd);
long sk_receive(int fd, void *out, size_t count);
long sk_send(int fd, const void *bytes, size_t count);
/// `writev` that never raises SIGPIPE.
long sk_send_gathered(int fd, sk_part *parts, int count);
int sk_shutdown_write(int fd);

#endif
