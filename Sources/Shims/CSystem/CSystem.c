#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static inline long tl_result(long r) { return r < 0 ? -(long)errno : r; }

static int64_t tl_clock_ns(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t tl_monotonic_ns(void) { return tl_clock_ns(CLOCK_MONOTONIC); }

int64_t tl_wall_ns(void) { return tl_clock_ns(CLOCK_REALTIME); }

int64_t tl_cpu_ns(void) { return tl_clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

long tl_getrandom(void *out, size_t count) { return tl_result(getrandom(out, count, 0)); }

int tl_open(const char *path, int flags, unsigned mode) {
  return (int)tl_result(open(path, flags | O_CLOEXEC, mode));
}

int tl_allocate(int fd, int64_t offset, int64_t count) {
  return (int)tl_result(fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, count));
}

int tl_lock_exclusively(int fd) { return (int)tl_result(flock(fd, LOCK_EX | LOCK_NB)); }

int tl_sync(int fd) { return (int)tl_result(fsync(fd)); }

int tl_sync_data(int fd) { return (int)tl_result(fdatasync(fd)); }

int tl_give_back_large_blocks(int threshold, int kept) {
  return mallopt(M_MMAP_THRESHOLD, threshold) && mallopt(M_TRIM_THRESHOLD, kept);
}

int64_t tl_heap_used(void) {
  struct mallinfo2 info = mallinfo2();
  return (int64_t)(info.uordblks + info.hblkhd);
}

void tl_give_back_free_pages(void) { malloc_trim(0); }

int64_t tl_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
}

int64_t tl_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return tl_descriptor_limit();
}

// Where each signal's number is written; -1 for none. Read inside the handler, hence volatile and plain.
static volatile int signal_targets[65];

static void pass_on(int number) {
  int kept = errno;
  unsigned char byte = (unsigned char)number;
  ssize_t ignored = write(signal_targets[number], &byte, 1);  // a full pipe already says enough
  (void)ignored;
  errno = kept;
}

int tl_watch_signal(int number, int target) {
  if (number < 1 || number > 64) return -EINVAL;
  struct sigaction action = {.sa_handler = target < 0 ? SIG_DFL : pass_on, .sa_flags = SA_RESTART};
  sigfillset(&action.sa_mask);
  if (target >= 0) signal_targets[number] = target;
  return (int)tl_result(sigaction(number, &action, NULL));
}

int tl_pipe(int ends[2]) { return (int)tl_result(pipe2(ends, O_CLOEXEC | O_NONBLOCK)); }

void tl_ignore_signal(int number) { signal(number, SIG_IGN); }

const char *tl_error_text(int number) { return strerrordesc_np(number); }
