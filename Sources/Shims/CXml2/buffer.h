#ifndef THROUGHLINE_CXML2_BUFFER_H
#define THROUGHLINE_CXML2_BUFFER_H

#include <stdlib.h>
#include <string.h>

/// Bytes that are appended to, at most `max` of them. `is_full` says that some found no room. Free `bytes`.
typedef struct {
  char *bytes;
  size_t count, room, max;
  int is_full;
} tl_buffer;

static inline void tl_put(tl_buffer *b, const char *bytes, size_t n) {
  if (n > b->max - b->count) {
    n = b->max - b->count;
    b->is_full = 1;
  }
  if (b->count + n > b->room) {
    size_t room = b->room ? b->room * 2 : 4096;
    while (room < b->count + n) room *= 2;
    char *grown = realloc(b->bytes, room);
    if (!grown) {
      b->max = b->count;
      b->is_full = 1;
      return;
    }
    b->bytes = grown;
    b->room = room;
  }
  if (n) memcpy(b->bytes + b->count, bytes, n);
  b->count += n;
}

#endif
