#include "cgmime.h"

#include <errno.h>
#include <gmime/gmime.h>
#include <iconv.h>
#include <pthread.h>
#include <string.h>

typedef struct {
  char *name;
  char *raw;
} header;

struct tl_mime {
  tl_mime_limits limits;
  GArray *headers;
  GPtrArray *parts;
  GArray *containers;
  char *content_type;
  int truncated;
  int has_preamble;
  unsigned messages;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void initialize(void) { g_mime_init(); }

static void free_part(gpointer pointer) {
  tl_mime_part *part = pointer;
  g_free((char *)part->type);
  g_free((char *)part->charset);
  g_free((char *)part->filename);
  g_free((char *)part->disposition_raw);
  g_free((char *)part->type_raw);
  g_free((char *)part->content_id);
  g_free((uint8_t *)part->bytes);
  g_free(part);
}

// As written, folding included; NULL when there is none.
static char *raw_of(GMimeObject *object, const char *name) {
  GMimeHeaderList *list = g_mime_object_get_header_list(object);
  GMimeHeader *written = list ? g_mime_header_list_get_header(list, name) : NULL;
  return written ? g_strdup(g_mime_header_get_raw_value(written)) : NULL;
}

static char *type_of(GMimeObject *object) {
  GMimeContentType *type = g_mime_object_get_content_type(object);
  if (!type) return g_strdup("text/plain");
  GMimeHeaderList *list = g_mime_object_get_header_list(object);
  GMimeHeader *written = list ? g_mime_header_list_get_header(list, "Content-Type") : NULL;
  const char *raw = written ? g_mime_header_get_raw_value(written) : NULL;
  // An empty one says nothing, and `Content-Type: text` names no subtype: RFC 2045 §5.2 reads what it cannot understand as plain text.
  if (raw && raw[strspn(raw, " \t\r\n")] == 0) return g_strdup("text/plain");
  if (raw && !memchr(raw, '/', strcspn(raw, ";")) && g_ascii_strncasecmp(raw + strspn(raw, " \t\r\n"), "text", 4) == 0)
    return g_strdup("text/plain");
  char *text = g_mime_content_type_get_mime_type(type);
  char *lower = g_ascii_strdown(text, -1);
  g_free(text);
  return lower;
}

// The bytes of a memory stream; GLib's own allocation, so that nothing is copied twice.
static uint8_t *take(GMimeStream *stream, size_t *count) {
  GByteArray *array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
  *count = array ? array->len : 0;
  return array && array->len ? g_memdup2(array->data, array->len) : NULL;
}

static int says(GMimeObject *object, const char *parameter, const char *value) {
  const char *said = g_mime_object_get_content_type_parameter(object, parameter);
  return said && g_ascii_strcasecmp(said, value) == 0;
}

static tl_mime_part *add(tl_mime *m, GMimeObject *object, int container, unsigned depth, unsigned message) {
  if (m->parts->len >= m->limits.parts_max) {
    m->truncated = 1;
    return NULL;
  }
  tl_mime_part *part = g_new0(tl_mime_part, 1);
  part->type = type_of(object);
  part->charset = g_strdup(g_mime_object_get_content_type_parameter(object, "charset"));
  part->content_id = g_strdup(g_mime_object_get_content_id(object));
  part->disposition_raw = raw_of(object, "Content-Disposition");
  part->type_raw = raw_of(object, "Content-Type");
  part->container = container;
  part->is_flowed = says(object, "format", "flowed");
  part->deletes_space = says(object, "delsp", "yes");
  part->depth = depth;
  part->message = message;
  const char *disposition = g_mime_object_get_disposition(object);
  part->is_attachment = disposition && g_ascii_strcasecmp(disposition, "attachment") == 0;
  part->is_inline = disposition && g_ascii_strcasecmp(disposition, "inline") == 0;
  g_ptr_array_add(m->parts, part);
  return part;
}

// Recursion is bounded by depth_max.
static void walk(tl_mime *m, GMimeObject *object, int container, unsigned depth, unsigned message) {
  if (!object) return;
  if (depth > m->limits.depth_max) {
    m->truncated = 1;
    return;
  }
  if (GMIME_IS_MULTIPART(object)) {
    GMimeMultipart *multipart = GMIME_MULTIPART(object);
    tl_mime_container one = {type_of(object), container};
    int inner = (int)m->containers->len;
    g_array_append_val(m->containers, one);
    int count = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < count && m->parts->len < m->limits.parts_max; i++)
      walk(m, g_mime_multipart_get_part(multipart, i), inner, depth + 1, message);
    if (count > 0 && m->parts->len >= m->limits.parts_max) m->truncated = 1;
    // Above its first one programs say that this is a mail in many parts.
    const char *above = g_mime_multipart_get_prologue(multipart);
    if (above && above[strspn(above, " \t\r\n")]) m->has_preamble = 1;
    // Below its last boundary nobody is shown anything (RFC 2046 §5.1.1), but some set a footer there.
    const char *below = g_mime_multipart_get_epilogue(multipart);
    if (below && below[strspn(below, " \t\r\n")]) m->truncated = 1;
  } else if (GMIME_IS_MESSAGE_PART(object)) {
    tl_mime_part *part = add(m, object, container, depth, message);
    GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
    if (!part || !inner) return;
    part->filename = g_strdup(g_mime_object_get_content_disposition_parameter(object, "filename"));
    GMimeStream *stream = g_mime_stream_mem_new();
    g_mime_object_write_to_stream(GMIME_OBJECT(inner), NULL, stream);
    part->bytes = take(stream, &part->count);
    g_object_unref(stream);
  } else if (GMIME_IS_PART(object)) {
    tl_mime_part *part = add(m, object, container, depth, message);
    if (!part) return;
    part->filename = g_strdup(g_mime_part_get_filename(GMIME_PART(object)));
    GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(object));
    if (!content) return;
    GMimeStream *stream = g_mime_stream_mem_new();
    // GMime's decoders keep the last bytes to themselves where they could be the beginning of more, and that of base64
    // ends at the first `=`.
    GMimeContentEncoding coding = g_mime_data_wrapper_get_encoding(content);
    part->is_base64 = coding == GMIME_CONTENT_ENCODING_BASE64;
    part->is_quoted = coding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
    GMimeStream *written = g_mime_data_wrapper_get_stream(content);
    if (written && (part->is_base64 || part->is_quoted)) {
      g_mime_stream_reset(written);
      g_mime_stream_write_to_stream(written, stream);
    } else {
      g_mime_data_wrapper_write_to_stream(content, stream);
    }
    part->bytes = take(stream, &part->count);
    g_object_unref(stream);
  } else {
    add(m, object, container, depth, message);
  }
}

static void read_headers(tl_mime *m, GMimeObject *object) {
  GMimeHeaderList *list = g_mime_object_get_header_list(object);
  int count = list ? g_mime_header_list_get_count(list) : 0;
  if (count > (int)m->limits.headers_max) m->truncated = 1;
  for (int i = 0; i < count && m->headers->len < m->limits.headers_max; i++) {
    GMimeHeader *one = g_mime_header_list_get_header_at(list, i);
    const char *raw = g_mime_header_get_raw_value(one);
    header h = {g_strdup(g_mime_header_get_name(one)), g_strdup(raw ? raw : "")};
    g_array_append_val(m->headers, h);
  }
}

// Lines within a header that can be none: GMime leaves them out.
static void warned(gint64 offset, GMimeParserWarning what, const gchar *item, gpointer m) {
  (void)offset;
  (void)item;
  if (what == GMIME_CRIT_INVALID_HEADER_NAME) ((tl_mime *)m)->truncated = 1;
}

tl_mime *tl_mime_parse(const uint8_t *bytes, size_t count, tl_mime_limits limits) {
  pthread_once(&once, initialize);
  tl_mime *m = g_new0(tl_mime, 1);
  m->limits = limits;
  m->headers = g_array_new(FALSE, FALSE, sizeof(header));
  m->parts = g_ptr_array_new_with_free_func(free_part);
  m->containers = g_array_new(FALSE, FALSE, sizeof(tl_mime_container));
  GMimeStream *stream = g_mime_stream_mem_new_with_buffer((const char *)bytes, count);
  GMimeParser *parser = g_mime_parser_new_with_stream(stream);
  g_mime_parser_set_format(parser, GMIME_FORMAT_MESSAGE);
  // Content is copied into memory, not read from the parsed stream, which would outlive nothing.
  GMimeParserOptions *options = g_mime_parser_options_new();
  g_mime_parser_options_set_warning_callback(options, warned, m);
  GMimeMessage *message = g_mime_parser_construct_message(parser, options);
  if (message) {
    read_headers(m, GMIME_OBJECT(message));
    GMimeObject *body = g_mime_message_get_mime_part(message);
    m->content_type = body ? type_of(body) : g_strdup("text/plain");
    walk(m, body, -1, 0, 0);
    g_object_unref(message);
  }
  g_mime_parser_options_free(options);
  g_object_unref(parser);
  g_object_unref(stream);
  return m;
}

void tl_mime_free(tl_mime *m) {
  if (!m) return;
  for (guint i = 0; i < m->headers->len; i++) {
    header *h = &g_array_index(m->headers, header, i);
    g_free(h->name);
    g_free(h->raw);
  }
  g_array_free(m->headers, TRUE);
  g_ptr_array_free(m->parts, TRUE);
  for (guint i = 0; i < m->containers->len; i++)
    g_free((char *)g_array_index(m->containers, tl_mime_container, i).type);
  g_array_free(m->containers, TRUE);
  g_free(m->content_type);
  g_free(m);
}

size_t tl_mime_header_count(const tl_mime *m) { return m->headers->len; }
const char *tl_mime_header_name(const tl_mime *m, size_t i) {
  return i < m->headers->len ? g_array_index(m->headers, header, i).name : NULL;
}
const char *tl_mime_header_raw(const tl_mime *m, size_t i) {
  return i < m->headers->len ? g_array_index(m->headers, header, i).raw : NULL;
}
const char *tl_mime_content_type(const tl_mime *m) { return m->content_type; }
size_t tl_mime_part_count(const tl_mime *m) { return m->parts->len; }
const tl_mime_part *tl_mime_part_at(const tl_mime *m, size_t i) {
  return i < m->parts->len ? g_ptr_array_index(m->parts, i) : NULL;
}
size_t tl_mime_container_count(const tl_mime *m) { return m->containers->len; }
tl_mime_container tl_mime_container_at(const tl_mime *m, size_t i) {
  return g_array_index(m->containers, tl_mime_container, i);
}
int tl_mime_is_truncated(const tl_mime *m) { return m->truncated; }
int tl_mime_has_preamble(const tl_mime *m) { return m->has_preamble; }

void tl_mime_free_text(char *text) { g_free(text); }

// How much is given up where bytes mean nothing, so that what follows is read in step again.
static size_t unit(const char *charset, const char *in, size_t left) {
  size_t n = 1;
  if (g_ascii_strncasecmp(charset, "UTF-16", 6) == 0 || g_ascii_strncasecmp(charset, "UCS-2", 5) == 0) n = 2;
  if (g_ascii_strncasecmp(charset, "UTF-32", 6) == 0 || g_ascii_strncasecmp(charset, "UCS-4", 5) == 0) n = 4;
  // In single bytes each of these means something, so this is a pair.
  if (g_ascii_strncasecmp(charset, "ISO-2022", 8) == 0 && left > 1 && in[0] > 32 && in[0] < 127 && in[1] > 32 &&
      in[1] < 127)
    n = 2;
  return n < left ? n : left;
}

char *tl_mime_to_utf8(const uint8_t *bytes, size_t count, const char *charset, size_t *out_count) {
  *out_count = 0;
  if (!charset || !*charset || strlen(charset) > 64) return NULL;
  // glibc's `//` suffixes change how it converts; a charset from a mail must not.
  if (strchr(charset, '/')) return NULL;
  iconv_t converter = iconv_open("UTF-8", charset);
  if (converter == (iconv_t)-1) return NULL;
  GByteArray *out = g_byte_array_sized_new(count + 16);
  char *in = (char *)bytes;
  size_t left = count;
  char buffer[4096];
  for (;;) {
    char *to = buffer;
    size_t room = sizeof buffer;
    size_t before = left;
    // Some converters keep a letter back, for a mark that may follow: without input they let go of it.
    int at_end = left == 0;
    size_t result = iconv(converter, at_end ? NULL : &in, at_end ? NULL : &left, &to, &room);
    int why = errno;
    g_byte_array_append(out, (const guint8 *)buffer, sizeof buffer - room);
    if (at_end && (result != (size_t)-1 || why != E2BIG || room == sizeof buffer)) break;
    if (result != (size_t)-1) {
      if (left == before && left > 0) break;
      continue;
    }
    if (why == E2BIG) {
      if (left == before && room == sizeof buffer) break;
      continue;
    }
    size_t bad = why == EINVAL ? left : unit(charset, in, left);
    // A letter that was kept back stands before what cannot be read. Others would forget their shift.
    if (g_ascii_strncasecmp(charset, "CP125", 5) == 0) {
      to = buffer;
      room = sizeof buffer;
      iconv(converter, NULL, NULL, &to, &room);
      g_byte_array_append(out, (const guint8 *)buffer, sizeof buffer - room);
    }
    g_byte_array_append(out, (const guint8 *)"\xEF\xBF\xBD", 3);
    in += bad;
    left -= bad;
  }
  iconv_close(converter);
  *out_count = out->len;
  return (char *)g_byte_array_free(out, FALSE);
}
