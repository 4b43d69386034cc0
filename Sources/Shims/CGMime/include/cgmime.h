#ifndef THROUGHLINE_CGMIME_H
#define THROUGHLINE_CGMIME_H

// GMime behind a face that shows none of GLib, whose headers must not be seen by Swift.

#include <stddef.h>
#include <stdint.h>

typedef struct tl_mime tl_mime;

typedef struct {
  size_t parts_max;
  size_t depth_max;
  size_t headers_max;
} tl_mime_limits;

/// A multipart.
typedef struct {
  const char *type;  // "multipart/alternative", lower case
  int parent;        // index of the multipart around it; -1 at the top
} tl_mime_container;

/// One leaf of the message, or a message inside it. Strings are NULL when absent; they live as long as the message.
typedef struct {
  const char *type;        // "text/plain", lower case
  const char *charset;     // as written
  const char *filename;    // decoded (RFC 2231, RFC 2047), UTF-8
  const char *disposition_raw;  // Content-Disposition as written, folding included
  const char *type_raw;         // Content-Type as written
  const char *content_id;  // without brackets
  int container;           // index of the multipart around it; -1 at the top
  const uint8_t *bytes;    // content, decoded but for the two below; for message/rfc822 the message as it stands
  size_t count;
  unsigned depth;          // 0 at the top
  unsigned message;        // 0 for the outer message, n for the n-th message inside it
  int is_attachment;       // Content-Disposition: attachment
  int is_inline;           // Content-Disposition: inline
  int is_flowed;           // format=flowed (RFC 3676)
  int deletes_space;       // DelSp=yes
  int is_base64;           // `bytes` are base64 still
  int is_quoted;           // `bytes` are quoted-printable still
} tl_mime_part;

/// Parses; NULL only when memory is out. Broken mail gives what could be read.
tl_mime *tl_mime_parse(const uint8_t *bytes, size_t count, tl_mime_limits limits);
void tl_mime_free(tl_mime *message);

size_t tl_mime_header_count(const tl_mime *message);
const char *tl_mime_header_name(const tl_mime *message, size_t index);
/// As written, folding included.
const char *tl_mime_header_raw(const tl_mime *message, size_t index);

/// `type/subtype` of the whole message, lower case.
const char *tl_mime_content_type(const tl_mime *message);
size_t tl_mime_part_count(const tl_mime *message);
const tl_mime_part *tl_mime_part_at(const tl_mime *message, size_t index);
size_t tl_mime_container_count(const tl_mime *message);
tl_mime_container tl_mime_container_at(const tl_mime *message, size_t index);
/// Whether parts were left out because of a limit.
int tl_mime_is_truncated(const tl_mime *message);
/// Whether something stands above the first boundary of a multipart (RFC 2046 §5.1.1).
int tl_mime_has_preamble(const tl_mime *message);

void tl_mime_free_text(char *text);

/// Converts to UTF-8; what cannot be read becomes U+FFFD. NULL when the charset is unknown. Free with
/// tl_mime_free_text.
char *tl_mime_to_utf8(const uint8_t *bytes, size_t count, const char *charset, size_t *out_count);

#endif
