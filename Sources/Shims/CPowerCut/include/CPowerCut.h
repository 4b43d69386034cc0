// A file layer under SQLite that records what is written, cut off, synced and removed, so that a test can play any
// power cut afterwards. For tests alone.
#ifndef THROUGHLINE_CPOWERCUT_H
#define THROUGHLINE_CPOWERCUT_H

#include <stdint.h>

enum { TL_WRITE = 0, TL_TRUNCATE = 1, TL_SYNC = 2, TL_REMOVE = 3, TL_MARK = 4, TL_NOTE = 5 };

typedef struct {
  int kind;
  /// 0 the database, 1 its write-ahead log, 2 its rollback journal; 3 to 5 those of the second.
  int file;
  /// The offset of a write, the new size of a truncation, the number of a mark or a note.
  int64_t offset;
  int64_t count;
  const uint8_t *bytes;
} tl_recorded;

/// Makes the layer SQLite's own, under every connection opened from now on; it records those files alone whose
/// path begins with `path` or with `second`, which may be null. One recording at a time.
int tl_record_start(const char *path, const char *second);
void tl_record_mark(int64_t number);
/// Something of the test's own, at its place among the rest.
void tl_record_note(int64_t number);
/// Ends the recording; what was recorded stands until the next start. Returns the count.
int64_t tl_record_stop(void);
tl_recorded tl_record_at(int64_t index);

/// From now on reads of this file that begin between these offsets fail with EIO; an empty range ends it.
int tl_refuse_reads(const char *path, int64_t from, int64_t to);

#endif
