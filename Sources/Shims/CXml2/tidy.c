#define _GNU_SOURCE  // memmem
#include "tidy.h"

#include "buffer.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// libxml2 cuts a name at a hundred.
#define NAME_MAX_BYTES 90

// A power of two.
#define NAMES_MAX (1 << 16)

// libxml2 2.9 ends at a NUL, and where browsers go on it takes all that follows for a comment, a style or a tag. Here
// each of these comes to an end, or is none. All is linear: what was looked for once and never comes is not looked for
// again.
typedef struct {
  const char *end;
  tl_buffer out;
  size_t wasted;  // bytes of what looked like a tag for a while
  int is_part;    // more was there once: what has no end here had one
  int is_cut;
  int hid;
  int no_close, no_comment_end, no_cdata_end, no_raw_end[3];
  int is_hasty;  // too much was looked at in vain: from there on no quote hides a `>`
  // By the hash of their names in small letters.
  unsigned char starts[NAMES_MAX / 8], ends[NAMES_MAX / 8];
} tidier;

// Elements whose content is no HTML and nobody's words.
static const char *const raw[] = {"script", "style", "title"};

// What the reading of a tree asks for.
static const char *const attributes[] = {"id", "class", "style", "type", "cite", "name", "href", NULL};

// Elements that need not end, and all others that programs use; sorted.
static const char *const elements[] = {
    "a",        "abbr",       "acronym",  "address",  "applet",   "area",     "article",  "aside",    "audio",
    "b",        "base",       "basefont", "bdi",      "bdo",      "bgsound",  "big",      "blink",    "blockquote",
    "body",     "br",         "button",   "canvas",   "caption",  "center",   "cite",     "code",     "col",
    "colgroup", "data",       "datalist", "dd",       "del",      "details",  "dfn",      "dialog",   "dir",
    "div",      "dl",         "dt",       "em",       "embed",    "fieldset", "figcaption", "figure", "font",
    "footer",   "form",       "frame",    "frameset", "h1",       "h2",       "h3",       "h4",       "h5",
    "h6",       "head",       "header",   "hgroup",   "hr",       "html",     "i",        "iframe",   "image",
    "img",      "input",      "ins",      "isindex",  "kbd",      "keygen",   "label",    "layer",    "legend",
    "li",       "link",       "listing",  "main",     "map",      "mark",     "marquee",  "math",     "menu",
    "menuitem", "meta",       "meter",    "nav",      "nobr",     "noembed",  "noframes", "noscript", "object",
    "ol",       "optgroup",   "option",   "output",   "p",        "param",    "picture",  "plaintext", "pre",
    "progress", "q",          "rb",       "rp",       "rt",       "rtc",      "ruby",     "s",        "samp",
    "script",   "section",    "select",   "small",    "source",   "spacer",   "span",     "strike",   "strong",
    "style",    "sub",        "summary",  "sup",      "svg",      "table",    "tbody",    "td",       "template",
    "textarea", "tfoot",      "th",       "thead",    "time",     "title",    "tr",       "track",    "tt",
    "u",        "ul",         "var",      "video",    "wbr",      "xml",      "xmp"};

static void put_text(tidier *t, const char *text) { tl_put(&t->out, text, strlen(text)); }

// Without NULs, and with none of the letters that end what it stands in.
static void put_escaped(tidier *t, const char *from, const char *to) {
  for (; from < to; from++) {
    if (*from == '<') put_text(t, "&lt;");
    else if (*from == '"') put_text(t, "&quot;");
    else if (*from) tl_put(&t->out, from, 1);
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

static void waste(tidier *t, size_t bytes) {
  t->wasted += bytes;
  if (t->wasted > t->out.max) t->is_hasty = 1;
}

// MARK: names

static size_t place_of(const char *from, const char *to) {
  uint32_t hash = 2166136261;
  for (; from < to; from++) hash = (hash ^ (uint32_t)tolower((unsigned char)*from)) * 16777619;
  return (hash ^ hash >> 16) & (NAMES_MAX - 1);
}

static const char *after_name(const char *at, const char *end) {
  while (at < end && is_name(*at)) at++;
  return at;
}

static void note_names(tidier *t, const char *at) {
  while (at < t->end && (at = memchr(at, '<', (size_t)(t->end - at)))) {
    at++;
    unsigned char *names = t->starts;
    if (at < t->end && *at == '/') {
      names = t->ends;
      at++;
    }
    if (at == t->end || !is_letter(*at)) continue;
    const char *to = after_name(at, t->end);
    size_t place = place_of(at, to);
    names[place / 8] |= (unsigned char)(1 << place % 8);
    at = to;
  }
}

static int compare(const void *name, const void *element) { return strcmp(name, *(const char *const *)element); }

static int is_element(const char *from, const char *to) {
  char name[16];
  size_t n = (size_t)(to - from);
  if (n >= sizeof name) return 0;
  for (size_t i = 0; i < n; i++) name[i] = (char)tolower((unsigned char)from[i]);
  name[n] = 0;
  return bsearch(name, elements, sizeof elements / sizeof *elements, sizeof *elements, compare) != NULL;
}

// Browsers take whatever begins with a letter for a tag (WHATWG HTML, "tag open state"), and show nothing of one that
// they do not know. Who did not know that it is HTML wrote `<ann+lamp@home.example>`, `<https://shop.example>` or
// `<order 17>`. So what no program could have meant is text: a name that no element has (`<br\>` and `<td"width=3>` were
// meant),
static int is_no_name(const char *from, const char *to) {
  if (!*to || is_blank(*to) || *to == '>') return 0;
  if (*to == '/') return to[-1] == ':';
  return !(strchr("\\\"=", *to) && is_element(from, to));
}

// and one that nobody knows, whose other end stands nowhere, and which has no attributes.
static int is_unknown(tidier *t, const char *from, const char *to, const char *close, int ends) {
  if (is_element(from, to)) return 0;
  size_t place = place_of(from, to);
  if ((ends ? t->starts : t->ends)[place / 8] & 1 << place % 8) return 0;
  int has_dot = memchr(from, '.', (size_t)(to - from)) != NULL;
  if (!ends && !has_dot && (close[-1] == '/' || memchr(to, '=', (size_t)(close - to)))) return 0;
  // It is looked at once more as text.
  t->is_cut |= t->is_hasty;
  if (t->is_hasty) return 0;
  waste(t, (size_t)(close - from));
  return 1;
}

// MARK: what hides

// Something that nobody is shown.
static void hide(tidier *t, const char *from, const char *to) {
  while (!t->hid && from < to) t->hid = (unsigned char)*from++ > ' ';
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
    int dashes = at - from >= 2 && memcmp(at - 2, "--", 2) == 0 ? 2 : 0;
    if (at - from >= 3 && memcmp(at - 3, "--!", 3) == 0) dashes = 3;
    if (dashes) {
      hide(t, from, at - dashes);
      return at + 1;
    }
    at++;
  }
  t->no_comment_end = 1;
  return t->is_part ? t->end : from;  // else it hides nothing
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

// `<?xml:namespace prefix = o ?>`, as Word and PHP leave them behind. `<?why?>` is somebody's.
static int is_instruction(tidier *t, const char *at) {
  return starts(t, at, "xml") || starts(t, at, "import") || starts(t, at, "mso") || starts(t, at, "php");
}

// What follows an element of `raw`. Programs that write XML close one in itself, which browsers do not know: where
// another begins before the first end, it was meant so.
static const char *after_raw(tidier *t, int which, const char *at, int is_closed) {
  const char *from = at;
  size_t n = strlen(raw[which]);
  while (!t->no_raw_end[which] && (at = memchr(at, '<', (size_t)(t->end - at)))) {
    at++;
    int ends = at < t->end && *at == '/';
    at += ends;
    if ((!ends && !is_closed) || (size_t)(t->end - at) < n || strncasecmp(at, raw[which], n) != 0) continue;
    if (at + n < t->end && is_name(at[n])) continue;
    if (!ends) return from;
    hide(t, from, at - 2);
    const char *close = find_close(t, at);
    return close ? close + 1 : t->end;
  }
  t->no_raw_end[which] = 1;
  return t->is_part && !is_closed ? t->end : from;
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
      waste(t, (size_t)(c - at));
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
  const char *name = at + 1 + ends, *name_end = after_name(name, t->end);
  const char *close = name_end == t->end || is_no_name(name, name_end) ? NULL : tag_close(t, name_end);
  // Word's, which libxml2 2.9 takes for a paragraph.
  if (close && is(name, name_end, "o:p")) return close + 1;
  if (!close || is_unknown(t, name, name_end, close, ends)) {
    put_text(t, "&lt;");
    return at + 1;
  }
  for (int i = 0; i < 3 && !ends; i++)
    if (is(name, name_end, raw[i])) return after_raw(t, i, close + 1, close[-1] == '/');
  if (is(name, name_end, "img")) t->hid = 1;
  tl_put(&t->out, at, 1 + (size_t)ends);
  tl_put(&t->out, name, (size_t)(name_end - name) < NAME_MAX_BYTES ? (size_t)(name_end - name) : NAME_MAX_BYTES);
  if (!ends) put_attributes(t, name_end, close);
  put_text(t, ">");
  return close + 1;
}

tl_tidy tl_tidy_html(const char *html, size_t count, size_t max, int is_part) {
  tidier t = {.end = html + count, .out = {.max = max}, .is_part = is_part};
  note_names(&t, html);
  const char *at = html;
  while (at < t.end && !t.out.is_full) {
    if (!*at) {
      at++;
    } else if (*at != '<') {
      const char *from = at;
      while (at < t.end && *at && *at != '<') at++;
      tl_put(&t.out, from, (size_t)(at - from));
    } else if (t.end - at > 1 && at[1] == '!') {
      at = declaration(&t, at);
    } else if (t.end - at > 2 && at[1] == '?' && is_instruction(&t, at + 2) && find_close(&t, at)) {
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
  return (tl_tidy){t.out.bytes, t.out.count, t.is_cut || t.out.is_full, t.hid};
}
