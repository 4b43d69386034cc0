// What Linux offers and Swift's Glibc module does not: functions behind macros and variadic calls. Every call
// answers a result, or the negated errno, so that Swift never reads errno at a distance.
#ifndef THROUGHLINE_CSYSTEM_H
#define THROUGHLINE_CSYSTEM_H

#include <stddef.h>
#include <stdint.h>

// MARK: clocks and chance

int64_t tl_monotonic_ns(void);
int64_t tl_wall_ns(void);
int64_t tl_cpu_ns(void);

long tl_getrandom(void *out, size_t count);

// MARK: files

int tl_open(const char *path, int flags, unsigned mode);
int tl_allocate(int fd, int64_t offset, int64_t count);
int tl_lock_exclusively(int fd);
int tl_sync(int fd);
int tl_sync_data(int fd);

/// mallopt(3). Blocks from `threshold` bytes on go back to the kernel when they are freed, and what is free at the
/// end of an arena when it is more than `kept`. Answers whether both were taken.
int tl_give_back_large_blocks(int threshold, int kept);
/// mallinfo2(3): bytes that are handed out and not freed, in all arenas and beside them.
int64_t tl_heap_used(void);
/// malloc_trim(3): whole pages that are free go back to the kernel, wherever in an arena they lie.
void tl_give_back_free_pages(void);

int64_t tl_descriptor_limit(void);
/// Raises the soft limit of descriptors to the hard one. Answers the limit in force.
int64_t tl_raise_descriptor_limit(void);

// MARK: signals

/// Writes the signal's number as one byte to `target` whenever it comes; a negative target restores the default.
int tl_watch_signal(int number, int target);
/// A pipe whose ends neither block nor survive `exec`.
int tl_pipe(int ends[2]);
void tl_ignore_signal(int number);

const char *tl_error_text(int number);

#endif
