#include "CZlib.h"

#include <stdlib.h>
#include <zlib.h>

struct cz_stream {
  z_stream z;
  int expands;
};

static cz_stream *made(cz_stream *stream, int result) {
  if (result == Z_OK) return stream;
  free(stream);
  return NULL;
}

cz_stream *cz_compressor(int level, int window_bits, int memory_level) {
  cz_stream *stream = calloc(1, sizeof *stream);
  if (!stream) return NULL;
  return made(stream, deflateInit2(&stream->z, level, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY));
}

cz_stream *cz_expander(int window_bits) {
  cz_stream *stream = calloc(1, sizeof *stream);
  if (!stream) return NULL;
  stream->expands = 1;
  return made(stream, inflateInit2(&stream->z, window_bits));
}

void cz_free(cz_stream *stream) {
  if (!stream) return;
  if (stream->expands) inflateEnd(&stream->z);
  else deflateEnd(&stream->z);
  free(stream);
}

void cz_reset(cz_stream *stream) { deflateReset(&stream->z); }

void cz_go_on(cz_stream *stream) { inflateResetKeep(&stream->z); }

int cz_remember(cz_stream *stream, const void *bytes, size_t count) {
  return inflateSetDictionary(&stream->z, bytes, (uInt)count) == Z_OK ? 0 : CZ_NO_MEMORY;
}

// zlib counts in unsigned int: a longer piece is taken in part, and the caller comes again with the rest.
static uInt bounded(size_t count) { return count > 1u << 30 ? 1u << 30 : (uInt)count; }

static cz_step stepped(cz_stream *stream, size_t count, size_t room_count, int result) {
  cz_step step = {bounded(count) - stream->z.avail_in, bounded(room_count) - stream->z.avail_out, CZ_GOES_ON};
  switch (result) {
    case Z_OK:
    case Z_BUF_ERROR: break;  // no progress was possible: more bytes, or more room
    case Z_STREAM_END: step.status = CZ_ENDED; break;
    case Z_MEM_ERROR: step.status = CZ_NO_MEMORY; break;
    default: step.status = CZ_MALFORMED;
  }
  return step;
}

static void load(cz_stream *stream, const void *bytes, size_t count, void *room, size_t room_count) {
  static unsigned char nothing;  // zlib refuses a null pointer, also for no bytes
  stream->z.next_in = bytes ? (z_const Bytef *)bytes : &nothing;
  stream->z.avail_in = bytes ? bounded(count) : 0;
  stream->z.next_out = room;
  stream->z.avail_out = bounded(room_count);
}

cz_step cz_compress(
    cz_stream *stream, const void *bytes, size_t count, void *room, size_t room_count, int ends, int flushes) {
  load(stream, bytes, count, room, room_count);
  int how = ends ? Z_FINISH : flushes ? Z_SYNC_FLUSH : Z_NO_FLUSH;
  return stepped(stream, bytes ? count : 0, room_count, deflate(&stream->z, how));
}

cz_step cz_expand(cz_stream *stream, const void *bytes, size_t count, void *room, size_t room_count) {
  load(stream, bytes, count, room, room_count);
  return stepped(stream, bytes ? count : 0, room_count, inflate(&stream->z, Z_SYNC_FLUSH));
}
