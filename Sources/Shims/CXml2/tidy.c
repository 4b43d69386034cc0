#define _GNU_SOURCE  // memmem
#include "tidy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// libxml2 2.9 ends at a NUL, and where browsers go on it takes all that follows for a comment, a style or a tag. Here
// each of these comes to an end, or is none. All is linear: what was looked for once and never comes is not looked for
// again.
typedef struct {
  const char *end;
  char *out;
  size_t count, room, max;
  size_t wasted;  // bytes of what looked like a tag for a while
  int failed;     // there is no more room
  int is_cut;
  int no_close, no_comment_end, no_cdata_end, no_raw_end[3];
  int is_hasty;  // too much was looked at in vain: from there on no quote hides a `>`
} tidier;

// Elements whose content is no HTML and nobody's words.
static const char *const raw[] = {"script", "style", "title"};

// What the reading of a tree asks for.
static const char *const attributes[] = {"id", "class", "style", "type", "cite", "name", "href", NULL};

// libxml2 cuts a name at a hundred.
#define NAME_MAX_BYTES 90

static void put(tidier *t, const char *bytes, size_t n) {
  if (n > t->max - t->count) {
    n = t->max - t->count;
    t->failed = 1;
  }
  if (t->count + n > t->room) {
    size_t room = t->room ? t->room * 2 : 4096;
    while (room < t->count + n) room *= 2;
    char *grown = realloc(t->out, room);
    if (!grown) {
      t->failed = 1;
      return;
    }
    t->out = grown;
    t->room = room;
  }
  if (n) memcpy(t->out + t->count, bytes, n);
  t->count += n;
}

static void put_text(tidier *t, const char *text) { put(t, text, strlen(text)); }

// Without NULs, and with none of the letters that end what it stands in.
static void put_escaped(tidier *t, const char *from, const char *to) {
  for (; from < to; from++) {
    if (*from == '<') put_text(t, "&lt;");
    else if (*from == '"') put_text(t, "&quot;");
    else if (*from) put(t, from, 1);
  }
}

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
static int is_letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
static int is_name(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == ':' || c == '_' || c == '-' || c == '.';
}
static int is(const char *from, const char *to, const char *name) {
  size_t n = strlen(name);
  return (size_t)(to - from) == n && strncasecmp(from, name, n) == 0;
}

static const char *find_close(tidier *t, const char *at) {
  const char *found = t->no_close ? NULL : memchr(at, '>', (size_t)(t->end - at));
  t->no_close = !found;
  return found;
}

// `-->` and `--!>`.
static const char *after_comment(tidier *t, const char *from) {
  if (from < t->end && *from == '>') return from + 1;
  if (t->end - from > 1 && memcmp(from, "->", 2) == 0) return from + 2;
  const char *at = t->no_comment_end ? NULL : from;
  while (at && (at = memchr(at, '>', (size_t)(t->end - at)))) {
    if (at - from >= 2 && memcmp(at - 2, "--", 2) == 0) return at + 1;
    if (at - from >= 3 && memcmp(at - 3, "--!", 3) == 0) return at + 1;
    at++;
  }
  t->no_comment_end = 1;
  return from;  // it hides nothing
}

static int starts(tidier *t, const char *at, const char *text) {
  size_t n = strlen(text);
  return (size_t)(t->end - at) >= n && strncasecmp(at, text, n) == 0;
}

// Comments, `<!DOCTYPE>`, and `<![if !supportLists]>`, which Word writes around what it has for all others. Whatever
// else begins so is somebody's text.
static const char *declaration(tidier *t, const char *at) {
  if (starts(t, at, "<!--")) return after_comment(t, at + 4);
  if (starts(t, at, "<![CDATA[")) {
    const char *from = at + 9;
    const char *to = t->no_cdata_end ? NULL : memmem(from, (size_t)(t->end - from), "]]>", 3);
    t->no_cdata_end = !to;
    if (!to) return from;
    put_escaped(t, from, to);
    return to + 3;
  }
  int is_markup =
      starts(t, at, "<!DOCTYPE") || starts(t, at, "<![if") || starts(t, at, "<![endif") || starts(t, at, "<!>");
  const char *close = is_markup ? find_close(t, at) : NULL;
  if (close) return close + 1;
  put_text(t, "&lt;");
  return at + 1;
}

static const char *after_raw(tidier *t, int which, const char *at) {
  const char *from = at;
  size_t n = strlen(raw[which]);
  while (!t->no_raw_end[which] && (at = memmem(at, (size_t)(t->end - at), "</", 2))) {
    at += 2;
    if ((size_t)(t->end - at) < n || strncasecmp(at, raw[which], n) != 0) continue;
    if (at + n < t->end && is_name(at[n])) continue;
    const char *close = find_close(t, at);
    return close ? close + 1 : t->end;
  }
  t->no_raw_end[which] = 1;
  return from;
}

// The end of a value that begins here, within `end`; `*to` is where its text ends. NULL where its quote does not.
static const char *after_value(const char **at, const char **to, const char *end) {
  const char *c = *at;
  if (c < end && (*c == '"' || *c == '\'')) {
    *at = c + 1;
    *to = memchr(c + 1, *c, (size_t)(end - c - 1));
    return *to ? *to + 1 : NULL;
  }
  while (c < end && !is_blank(*c) && *c != '>') c++;
  return *to = c;
}

// Where a tag's `>` stands, not counting those in quotes: NULL where it is none, since it has a `<` in it. A quote
// that never ends ends the tag: what is behind it is shown.
static const char *tag_close(tidier *t, const char *at) {
  const char *c = at;
  int has_markup = 0;
  while (!t->is_hasty && c < t->end) {
    if (*c == '>') {
      // Somebody forgot a quote: words are in what now looks like an attribute.
      t->is_cut |= has_markup;
      return c;
    }
    if (*c == '<') {
      t->wasted += (size_t)(c - at);
      t->is_hasty = t->wasted > t->max;
      return NULL;
    }
    if (*c++ != '=') continue;
    while (c < t->end && is_blank(*c)) c++;
    const char *value = c, *to, *quote = c;
    c = after_value(&value, &to, t->end);
    if (!c) return quote;
    for (const char *in = value; in + 1 < to && !has_markup; in++) {
      has_markup = *in == '<' && (in[1] == '/' || isalpha((unsigned char)in[1]));
    }
  }
  t->is_hasty = 1;
  return find_close(t, at);
}

static void put_attributes(tidier *t, const char *at, const char *end) {
  int closes = 0;
  while (at < end) {
    if (is_blank(*at) || *at == '/') {
      closes = *at++ == '/';
      continue;
    }
    closes = 0;
    const char *name = at;
    do at++;
    while (at < end && !is_blank(*at) && *at != '=' && *at != '/');
    const char *name_end = at;
    while (at < end && is_blank(*at)) at++;
    if (at == end || *at != '=') continue;
    at++;
    while (at < end && is_blank(*at)) at++;
    const char *value = at, *to;
    at = after_value(&value, &to, end);
    if (!at) at = to = end;
    for (const char *const *one = attributes; *one; one++) {
      if (!is(name, name_end, *one)) continue;
      put_text(t, " ");
      put_text(t, *one);
      put_text(t, "=\"");
      put_escaped(t, value, to);
      put_text(t, "\"");
    }
  }
  if (closes) put_text(t, "/");
}

static const char *tag(tidier *t, const char *at) {
  int ends = at[1] == '/';
  const char *name = at + 1 + ends, *name_end = name;
  while (name_end < t->end && is_name(*name_end)) name_end++;
  // `<ann@home.example>` and `<https://shop.example>`, where somebody did not know that it is HTML.
  int is_address = name_end < t->end && (*name_end == '@' || (*name_end == '/' && name_end[-1] == ':'));
  const char *close = is_address ? NULL : tag_close(t, name_end);
  if (!close) {
    put_text(t, "&lt;");
    return at + 1;
  }
  for (int i = 0; i < 3 && !ends; i++)
    if (is(name, name_end, raw[i])) return close[-1] == '/' ? close + 1 : after_raw(t, i, close + 1);
  // Word's, which libxml2 2.9 takes for a paragraph.
  if (is(name, name_end, "o:p")) return close + 1;
  put(t, at, 1 + (size_t)ends);
  put(t, name, (size_t)(name_end - name) < NAME_MAX_BYTES ? (size_t)(name_end - name) : NAME_MAX_BYTES);
  if (!ends) put_attributes(t, name_end, close);
  put_text(t, ">");
  return close + 1;
}

tl_tidy tl_tidy_html(const char *html, size_t count, size_t max) {
  tidier t = {.end = html + count, .max = max};
  const char *at = html;
  while (at < t.end && !t.failed) {
    if (!*at) {
      at++;
    } else if (*at != '<') {
      const char *from = at;
      while (at < t.end && *at && *at != '<') at++;
      put(&t, from, (size_t)(at - from));
    } else if (t.end - at > 1 && at[1] == '!') {
      at = declaration(&t, at);
    } else if (t.end - at > 1 && at[1] == '?' && find_close(&t, at)) {
      at = find_close(&t, at) + 1;
    } else if (t.end - at > 1 && is_letter(at[1])) {
      at = tag(&t, at);
    } else if (t.end - at > 2 && at[1] == '/' && (is_letter(at[2]) || at[2] == '>')) {
      at = at[2] == '>' ? at + 3 : tag(&t, at);
    } else {
      put_text(&t, "&lt;");
      at++;
    }
  }
  return (tl_tidy){t.out, t.count, t.is_cut || t.failed};
}
