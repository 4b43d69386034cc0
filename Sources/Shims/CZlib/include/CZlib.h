// zlib behind a face of a few calls: a stream that compresses or expands, fed and drained by bounded steps.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct cz_stream cz_stream;

enum {
  CZ_GOES_ON = 0,
  // Expanding: the last block has been read. Compressing: all of it has been written.
  CZ_ENDED = 1,
  // What came is not what this format allows.
  CZ_MALFORMED = -1,
  CZ_NO_MEMORY = -2,
};

typedef struct {
  size_t taken;
  size_t made;
  int status;
} cz_step;

// window_bits as zlib takes them: negative for raw DEFLATE, 16 more for gzip. NULL when memory or arguments forbid.
cz_stream *cz_compressor(int level, int window_bits, int memory_level);
cz_stream *cz_expander(int window_bits);
void cz_free(cz_stream *stream);
// Compressing: forgets everything before; the next bytes begin anew.
void cz_reset(cz_stream *stream);
// Expanding, after CZ_ENDED: another block may follow, and refer to what came before.
void cz_go_on(cz_stream *stream);
// Expanding raw DEFLATE, before anything of it: what came before, to which it may refer. 0, or CZ_NO_MEMORY.
int cz_remember(cz_stream *stream, const void *bytes, size_t count);

// ends: this is the last of it; flushes: everything so far must come out, at a byte's boundary.
cz_step cz_compress(
    cz_stream *stream, const void *bytes, size_t count, void *room, size_t room_count, int ends, int flushes);
cz_step cz_expand(cz_stream *stream, const void *bytes, size_t count, void *room, size_t room_count);
