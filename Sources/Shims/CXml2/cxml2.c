#define _GNU_SOURCE  // strcasestr
#include "cxml2.h"
#include "buffer.h"
#include "tidy.h"
#include <ctype.h>

#include <limits.h>
#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// `HTMLText.signatureEnd`.
#define SIGNATURE_END "\xE2\x81\xA3\n"

// Deeper quotes than this are shown at this depth.
#define QUOTE_MAX 16

// `HTMLText.quoteMark`, with U+2063 behind it.
#define QUOTE_MARK "-----Original Message-----\xE2\x81\xA3"

// What is shown of a link's target. Links to follow readers are longer.
#define TARGET_MAX 1000

// A longer text is not its link's address.
#define LINK_TEXT_MAX 2000

// libxml2 looks for the element of each stray end tag up to the root: so many steps may a page cost. A thread of a
// thousand turns, five elements each, is far from it.
#define STEPS_MAX 100000000
#define DEPTH_MIN 600

// Each begins as deep as that below the last: no page has more.
#define READINGS_MAX 1000

// HTML without its pictures and styles: libxml2's tree takes up to eighty times as much.
#define TIDY_MAX (5 << 18)

// So many links of nothing but a picture are told.
#define LINKS_MAX 100

typedef struct {
  tl_buffer out;
  tl_buffer links;  // lines of targets in `<>`
  int links_count;
  int quote;
  int blanks;  // line breaks owed before the next word
  int space;   // a space owed
  int pre;
  int wrote;
  int is_cut;
  int hid;  // words that nobody is shown
  xmlNode *signature;     // the outermost that is open, also one of nothing but pictures
  int signatures;         // so many with words are open
  int ended_a_signature;  // and no word was written since
  char *last_target;
} writer;

static void put(writer *w, const char *text, size_t n) { tl_put(&w->out, text, n); }

static void put_prefix(writer *w) {
  for (int i = 0; i < w->quote && i < QUOTE_MAX; i++) put(w, ">", 1);
  if (w->quote) put(w, " ", 1);
}

static void break_lines(writer *w, int lines) {
  if (w->wrote && w->blanks < lines) w->blanks = lines;
}

// White space at a line's end goes, except in `-- `, where it means something (RFC 3676 §4.3).
static void trim_line(writer *w) {
  if (w->out.count >= 3 && memcmp(w->out.bytes + w->out.count - 3, "-- ", 3) == 0 &&
      (w->out.count == 3 || w->out.bytes[w->out.count - 4] == '\n'))
    return;
  while (w->out.count && w->out.bytes[w->out.count - 1] == ' ') w->out.count--;
}

static void start_word(writer *w) {
  if (w->blanks || !w->wrote) {
    if (w->blanks) trim_line(w);
    for (int i = 0; i < w->blanks; i++) {
      put(w, "\n", 1);
      if (i + 1 < w->blanks && w->quote) put_prefix(w);
    }
    if (w->ended_a_signature && !w->quote) put(w, SIGNATURE_END, strlen(SIGNATURE_END));
    w->ended_a_signature = 0;
    put_prefix(w);
    w->blanks = 0;
    w->space = 0;
  } else if (w->space) {
    put(w, " ", 1);
    w->space = 0;
  }
  w->wrote = 1;
}

static void put_text(writer *w, const char *text) {
  for (const char *c = text; *c; c++) {
    if (w->pre && *c == '\n') {
      break_lines(w, w->blanks + 1);
      continue;
    }
    int blank = *c == ' ' || *c == '\t' || *c == '\n' || *c == '\r' || *c == '\f';
    if (blank && !w->pre) {
      w->space = 1;
      continue;
    }
    if (*c == '\r') continue;
    start_word(w);
    if ((unsigned char)*c == 0xC2 && (unsigned char)c[1] == 0xA0) {
      put(w, " ", 1);
      c++;
    } else {
      put(w, c, 1);
    }
  }
}

static int is_one_of(const xmlChar *name, const char *const *names) {
  for (; *names; names++)
    if (strcasecmp((const char *)name, *names) == 0) return 1;
  return 0;
}

static int has_word(xmlNode *node, const char *attribute, const char *word) {
  xmlChar *value = xmlGetProp(node, (const xmlChar *)attribute);
  if (!value) return 0;
  size_t n = strlen(word);
  int found = 0;
  for (const char *at = (const char *)value; (at = strstr(at, word)); at += n) {
    int starts = at == (const char *)value || strchr(" \t\n", at[-1]);
    if (starts && (!at[n] || strchr(" \t\n", at[n]))) {
      found = 1;
      break;
    }
  }
  xmlFree(value);
  return found;
}

static int is_hidden(xmlNode *node) {
  xmlChar *style = xmlGetProp(node, (const xmlChar *)"style");
  if (!style) return 0;
  // Preheaders and tracking text that no reader sees.
  int hidden = strcasestr((const char *)style, "display:none") || strcasestr((const char *)style, "display: none");
  xmlFree(style);
  return hidden;
}

static const char *const paragraphs[] = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "pre", "blockquote",
                                         "table", NULL};
static const char *const blocks[] = {"div", "tr", "li", "dt", "dd", "section", "article", "header", "footer", "address",
                                     "center", "form", "fieldset", "body", "main", "nav", "aside", "figure",
                                     "figcaption", "details", "summary", "legend", "option", "caption", "marquee",
                                     "noscript", "object", "template", "svg", "text", NULL};

// Word's paragraphs are lines: it puts an empty one between what it means as paragraphs.
static int spacing(xmlNode *node) { return has_word(node, "class", "MsoNormal") ? 1 : 2; }

static int is_named(xmlNode *node, const char *name) { return strcasecmp((const char *)node->name, name) == 0; }

static int style_has(xmlNode *node, const char *word) {
  xmlChar *style = xmlGetProp(node, (const xmlChar *)"style");
  int found = style && strcasestr((const char *)style, word) != NULL;
  xmlFree(style);
  return found;
}

// The first text inside a node that is not blank, looked for among so many nodes; `bold` says whether it is set in bold.
static const char *first_text(xmlNode *top, int nodes_max, int *bold) {
  xmlNode *node = top;
  *bold = 0;
  for (int steps = 0; node && steps < nodes_max; steps++) {
    if (node->type == XML_TEXT_NODE && node->content) {
      const unsigned char *c = node->content;
      while (*c && (*c <= ' ' || *c == 0xC2 || *c == 0xA0)) c++;
      if (*c) {
        for (xmlNode *up = node->parent; up && up != top && !*bold; up = up->parent)
          *bold = up->type == XML_ELEMENT_NODE &&
                  (is_named(up, "b") || is_named(up, "strong") || style_has(up, "bold"));
        return (const char *)c;
      }
    }
    if (node->children && node->type == XML_ELEMENT_NODE) {
      node = node->children;
      continue;
    }
    while (node != top && !node->next) node = node->parent;
    node = node == top ? NULL : node->next;
  }
  return NULL;
}

// Outlook and Windows Mail set the header of the quoted mail below a line, in any language: `From:` in bold.
static int is_header_below_line(xmlNode *node) {
  if (!is_named(node, "div") || !style_has(node, "border-top") || !style_has(node, "solid")) return 0;
  int bold;
  const char *text = first_text(node, 40, &bold);
  if (!text || !bold) return 0;
  size_t n = strcspn(text, ":\n");
  return n > 0 && n < 40 && (text[n] == ':' || strstr(text, "\xEF\xBC\x9A"));
}

// What mail programs put before all that they quote, whatever language it is in.
static int starts_quoted_mail(xmlNode *node) {
  return has_word(node, "id", "divRplyFwdMsg") || has_word(node, "id", "stopSpelling") ||
         has_word(node, "id", "OLK_SRC_BODY_SECTION") || has_word(node, "id", "zwchr") ||
         has_word(node, "id", "mail-editor-reference-message-container") ||
         has_word(node, "class", "OutlookMessageHeader") || is_header_below_line(node);
}

static int has_attribute(xmlNode *node, const char *attribute) { return xmlHasProp(node, (const xmlChar *)attribute) != NULL; }

// Gmail indents with a blockquote that has no line beside it: that quotes nobody.
static int is_indent(xmlNode *node) {
  return !has_attribute(node, "class") && !has_attribute(node, "type") && !has_attribute(node, "cite") &&
         (style_has(node, "border:none") || style_has(node, "border: none"));
}

// The line that introduces a quote; what is forwarded has its header in the same place, and follows unquoted.
static int is_introduction(xmlNode *node) {
  if (!has_word(node, "class", "moz-cite-prefix") && !has_word(node, "class", "gmail_attr")) return 0;
  int bold;
  const char *text = first_text(node, 40, &bold);
  return text && *text != '-';
}

static int is_quote(xmlNode *node) {
  if (is_named(node, "blockquote")) return !is_indent(node);
  if (!is_named(node, "div")) return 0;
  return has_word(node, "class", "yahoo_quoted") || has_word(node, "class", "tutanota_quote") ||
         has_word(node, "class", "zmail_extra") || has_word(node, "class", "protonmail_quote") ||
         has_word(node, "name", "quote") || is_introduction(node);
}

static int is_signature(xmlNode *node) {
  return has_word(node, "class", "gmail_signature") || has_word(node, "class", "moz-signature") ||
         has_word(node, "class", "protonmail_signature_block") || has_word(node, "id", "Signature") ||
         has_word(node, "id", "AppleMailSignature") || has_word(node, "id", "ms-outlook-mobile-signature") ||
         has_word(node, "id", "ymail_android_signature") || has_word(node, "id", "composer_signature") ||
         has_word(node, "name", "messageSignatureSection") || has_word(node, "class", "yahoo-signature");
}

static int is_blank_node(xmlNode *node) {
  int bold;
  return first_text(node, 1000, &bold) == NULL;
}

// Gmail's own `-- `: ours is put before every signature.
static int is_signature_prefix(xmlNode *node) {
  xmlNode *text = node->children;
  return text && text->type == XML_TEXT_NODE && !text->next && text->content &&
         strspn((const char *)text->content, "- \t\r\n\xC2\xA0") == strlen((const char *)text->content) &&
         has_word(node, "class", "gmail_signature_prefix");
}

// MARK: links

static int hex(char c) {
  return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static int is_host(char c) { return isalnum((unsigned char)c) || c == '.' || c == '-' || (c & 0x80); }

// `shop.example` says of itself that it leads to `https://www.shop.example/`, `555 0100` that it calls +1 555 0100.
static int says_target(const char *text, size_t n, const char *target) {
  char said[LINK_TEXT_MAX + 1], wanted[TARGET_MAX + 1];
  if (n > LINK_TEXT_MAX || strlen(target) > TARGET_MAX) return 0;
  memcpy(said, text, n);
  said[n] = 0;
  size_t kept = 0;
  for (const char *c = strchr(target, ':') + 1; *c; c++) {
    int is_coded = *c == '%' && hex(c[1]) >= 0 && hex(c[2]) >= 0 && (hex(c[1]) || hex(c[2]));
    wanted[kept++] = is_coded ? (char)(hex(c[1]) << 4 | hex(c[2])) : *c;
    if (is_coded) c += 2;
  }
  wanted[kept] = 0;
  if (strncasecmp(target, "tel:", 4) == 0) {
    for (char *one = said;; one = wanted) {
      size_t digits = 0;
      for (char *c = one; *c; c++)
        if (*c >= '0' && *c <= '9') one[digits++] = *c;
      one[digits] = 0;
      if (one == wanted) break;
    }
    size_t a = strlen(said), b = strlen(wanted), common = a < b ? a : b;
    while (common > 6) common--;
    return a >= 3 && memcmp(said + a - common, wanted + b - common, common) == 0;
  }
  if (strncasecmp(target, "mailto:", 7) == 0) wanted[strcspn(wanted, "?")] = 0;
  char *from = wanted + strspn(wanted, "/");
  if (strncasecmp(from, "www.", 4) == 0) from += 4;
  size_t end = strlen(from);
  if (end && from[end - 1] == '/') from[end - 1] = 0;
  if (!*from) return 1;
  size_t count = strlen(from);
  for (const char *at = said; (at = strcasestr(at, from)); at++) {
    // `mybank.example` does not say `bank.example`, nor does `bank.example.evil.example`.
    int is_www = at - said >= 4 && strncasecmp(at - 4, "www.", 4) == 0;
    const char *behind = at + count;
    if (*behind == '.') behind++;
    if ((at == said || is_www || !is_host(at[-1])) && !(behind > said && is_host(*behind))) return 1;
  }
  return 0;
}

// As browsers read it: without line ends, and with nothing that would end it in text.
static char *target_of(xmlNode *link) {
  xmlChar *href = xmlGetProp(link, (const xmlChar *)"href");
  if (!href) return NULL;
  const char *from = (const char *)href;
  while (*from && *from <= ' ') from++;
  static const char *const schemes[] = {"http://", "https://", "mailto:", "tel:", NULL};
  int is_known = 0;
  for (const char *const *one = schemes; *one; one++) is_known |= strncasecmp(from, *one, strlen(*one)) == 0;
  char *target = is_known ? malloc(3 * strlen(from) + 1) : NULL;
  char *to = target;
  for (; to && *from; from++) {
    if (*from == '\n' || *from == '\r' || *from == '\t') continue;
    if (*from == ' ' && from[strspn(from, " \t\r\n")] == 0) break;
    // Marks of direction and ends of lines are not for text.
    const unsigned char *c = (const unsigned char *)from;
    if (c[0] == 0xE2 && ((c[1] == 0x80 && c[2] >= 0x8B && (c[2] <= 0x8F || (c[2] >= 0xA8 && c[2] <= 0xAE))) ||
                         (c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9))) {
      to += sprintf(to, "%%%02X%%%02X%%%02X", c[0], c[1], c[2]);
      from += 2;
      continue;
    }
    const char *coded = *from == ' ' ? "%20" : *from == '<' ? "%3C" : *from == '>' ? "%3E" : NULL;
    if (coded) {
      memcpy(to, coded, 3);
      to += 3;
    } else {
      *to++ = *from;
    }
  }
  if (to) *to = 0;
  xmlFree(href);
  return target;
}

static int has_picture(xmlNode *link) {
  xmlNode *node = link->children;
  for (int steps = 0; node && steps < 100; steps++) {
    if (node->type == XML_ELEMENT_NODE && is_named(node, "img")) return 1;
    if (node->children && node->type == XML_ELEMENT_NODE) {
      node = node->children;
      continue;
    }
    while (node != link && !node->next) node = node->parent;
    node = node == link ? NULL : node->next;
  }
  return 0;
}

static void put_in_brackets(writer *w, tl_buffer *out, const char *target) {
  size_t shown = strlen(target);
  tl_put(out, "<", 1);
  if (shown > TARGET_MAX) {
    shown = TARGET_MAX;
    while ((target[shown] & 0xC0) == 0x80) shown--;
    w->is_cut = 1;
  }
  tl_put(out, target, shown);
  if (target[shown]) tl_put(out, "…", strlen("…"));
  tl_put(out, ">", 1);
}

// Of a link that is nothing but a picture no word tells. Most are logos of shops and of signatures, so that it is none
// of the words; some are the photo that all is about.
static void keep_link(writer *w, xmlNode *link) {
  if (w->quote || w->signature || !has_picture(link)) return;
  char *target = target_of(link);
  if (target && w->links_count < LINKS_MAX) {
    w->links_count++;
    put_in_brackets(w, &w->links, target);
    tl_put(&w->links, "\n", 1);
  } else if (target) {
    w->is_cut = 1;
  }
  free(target);
}

// Behind the text of a link, where it leads: `this photo <https://photos.example/1>`, as plain text has it.
static void put_target(writer *w, xmlNode *link) {
  size_t start = (size_t)(uintptr_t)link->_private;
  const char *text = w->out.bytes + start;
  size_t n = w->out.count - start;
  if (n == 0) {
    keep_link(w, link);
    return;
  }
  char *target = target_of(link);
  // A picture and a heading that lead to the same are one.
  int is_last = target && w->last_target && strcmp(target, w->last_target) == 0;
  if (!target || is_last || says_target(text, n, target)) {
    free(target);
    return;
  }
  if (w->out.bytes[w->out.count - 1] != ' ') put(w, " ", 1);
  put_in_brackets(w, &w->out, target);
  free(w->last_target);
  w->last_target = target;
}

// Returns whether the node's children are to be read.
static int enter(writer *w, xmlNode *node) {
  if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
    if (node->content) put_text(w, (const char *)node->content);
    return 0;
  }
  if (node->type != XML_ELEMENT_NODE) return 0;
  if (is_hidden(node)) {
    w->hid |= node->children != NULL;
    return 0;
  }
  if (is_signature_prefix(node)) return 0;
  if (!w->quote && starts_quoted_mail(node)) {
    break_lines(w, 2);
    start_word(w);
    put(w, QUOTE_MARK, strlen(QUOTE_MARK));
    break_lines(w, 1);
  }
  if (strcasecmp((const char *)node->name, "br") == 0) {
    if (w->wrote && w->blanks < 4) w->blanks++;
    return 0;
  }
  if (strcasecmp((const char *)node->name, "hr") == 0) {
    break_lines(w, 1);
    start_word(w);
    put(w, "--------------------", 20);
    break_lines(w, 1);
    return 0;
  }
  if (is_quote(node)) {
    break_lines(w, 1);
    w->quote++;
  } else if (is_one_of(node->name, paragraphs)) {
    break_lines(w, spacing(node));
  } else if (is_one_of(node->name, blocks)) {
    break_lines(w, 1);
  }
  if (is_named(node, "a")) node->_private = (void *)(uintptr_t)w->out.count;
  if (strcasecmp((const char *)node->name, "li") == 0) {
    start_word(w);
    put(w, "- ", 2);
  } else if (strcasecmp((const char *)node->name, "td") == 0 || strcasecmp((const char *)node->name, "th") == 0) {
    w->space = 1;
  } else if (strcasecmp((const char *)node->name, "pre") == 0) {
    w->pre++;
  } else if (is_signature(node)) {
    if (!w->signature) w->signature = node;
    if (is_blank_node(node)) return 1;
    break_lines(w, 1);
    start_word(w);
    put(w, "-- ", 3);
    break_lines(w, 1);
    if (!is_named(node, "a")) {
      node->_private = node;
      w->signatures++;
    }
  }
  return 1;
}

static void leave(writer *w, xmlNode *node) {
  if (is_named(node, "a")) put_target(w, node);
  if (node == w->signature) w->signature = NULL;
  if (node->_private == node && --w->signatures == 0) {
    break_lines(w, 1);
    w->ended_a_signature = 1;
  }
  if (strcasecmp((const char *)node->name, "pre") == 0 && w->pre > 0) w->pre--;
  if (is_quote(node)) {
    w->quote--;
    break_lines(w, 1);
  } else if (is_one_of(node->name, paragraphs)) {
    break_lines(w, spacing(node));
  } else if (is_one_of(node->name, blocks)) {
    break_lines(w, 1);
  }
}

static void ignore(void *context, const char *message, ...) {
  (void)context;
  (void)message;
}

// MARK: reading

// Our own bound stops libxml2, in `start_element`; at its own it would drop the rest.
__attribute__((constructor)) static void set_depth(void) { xmlParserMaxDepth = INT_MAX; }

typedef struct {
  int depth_max;
  size_t stopped_at;  // 0 where it was not stopped
} reading;

static void start_element(void *context, const xmlChar *name, const xmlChar **attributes) {
  htmlParserCtxt *parser = context;
  reading *r = parser->_private;
  if (parser->nameNr <= r->depth_max) return xmlSAX2StartElement(context, name, attributes);
  // Behind this element's attributes.
  if (!r->stopped_at) r->stopped_at = parser->input->consumed + (size_t)(parser->input->cur - parser->input->base);
  xmlStopParser(parser);
}

// Walked without recursion: a hostile page may be as deep as it is long.
static void walk(writer *w, xmlNode *top) {
  for (xmlNode *node = top; node;) {
    int entered = enter(w, node);
    if (entered && node->children) {
      node = node->children;
      continue;
    }
    if (entered) leave(w, node);
    while (node != top && !node->next) {
      node = node->parent;
      if (!node) return;
      leave(w, node);
    }
    if (node == top) return;
    node = node->next;
  }
}

// Where the last tag up to here begins: a tidy one has no other `<` in it.
static size_t last_tag(const char *html, size_t end) {
  while (end > 0 && html[--end] != '<') continue;
  return end;
}

// Reads from the start, and returns where the parser stopped: `count` where it did not.
static size_t read_html(writer *w, const char *html, size_t count, int depth_max) {
  reading r = {depth_max, 0};
  htmlParserCtxt *parser = htmlNewParserCtxt();
  if (!parser) return 0;
  parser->_private = &r;
  parser->sax->startElement = start_element;
  htmlDocPtr document = htmlCtxtReadMemory(
      parser, html, (int)count, NULL, "UTF-8",
      HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET | HTML_PARSE_COMPACT);
  size_t end = count;
  if (r.stopped_at) end = last_tag(html, r.stopped_at);
  else if (!document || parser->disableSAX) end = 0;
  else if (parser->input) end -= (size_t)(parser->input->end - parser->input->cur);
  if (document) walk(w, xmlDocGetRootElement(document));
  xmlFreeDoc(document);
  htmlFreeParserCtxt(parser);
  return end;
}

// Lines of links, without those that the text says, and each once.
static void put_links(tl_buffer *out, const tl_buffer *text, const tl_buffer *links) {
  for (size_t at = 0; at < links->count;) {
    const char *line = links->bytes + at;
    size_t n = (size_t)((const char *)memchr(line, '\n', links->count - at) - line) + 1;
    at += n;
    int is_said = (text->count && memmem(text->bytes, text->count, line, n - 1)) ||
                  (out->count && memmem(out->bytes, out->count, line, n));
    if (!is_said) tl_put(out, line, n);
  }
}

tl_html_text tl_html_to_text(const char *html, size_t count, size_t out_max, int is_part) {
  xmlSetGenericErrorFunc(NULL, ignore);
  tl_tidy tidy = tl_tidy_html(html, count, TIDY_MAX, is_part);
  writer w = {.out = {.max = out_max}, .links = {.max = LINKS_MAX * 2 * TARGET_MAX}, .is_cut = tidy.is_cut};
  size_t end_tags = 1;
  for (size_t i = 1; i < tidy.count; i++) end_tags += tidy.bytes[i] == '/' && tidy.bytes[i - 1] == '<';
  int depth_max = STEPS_MAX / end_tags > DEPTH_MIN ? (int)(STEPS_MAX / end_tags) : DEPTH_MIN;
  // What is deeper is read as if it began there: its words are kept, though not how deep they are quoted.
  size_t at = 0;
  for (int readings = 0;; readings++) {
    while (at < tidy.count && (unsigned char)tidy.bytes[at] <= ' ') at++;
    if (at == tidy.count) break;
    size_t read = readings < READINGS_MAX ? read_html(&w, tidy.bytes + at, tidy.count - at, depth_max) : 0;
    if (!read) {
      w.is_cut = 1;
      break;
    }
    at += read;
    break_lines(&w, 1);
  }
  free(tidy.bytes);
  free(w.last_target);
  tl_buffer links = {.max = w.links.max};
  // Where nothing else is said, that is what is said.
  put_links(w.wrote ? &links : &w.out, &w.out, &w.links);
  if (w.wrote || !w.out.count) put(&w, "\n", 1);
  free(w.links.bytes);
  return (tl_html_text){
      .text = w.out.bytes,
      .count = w.out.count,
      .links = links.bytes,
      .links_count = links.count,
      .is_cut = w.is_cut || w.out.is_full || (w.hid && !w.wrote),
      .hides = tidy.hid,
  };
}

void tl_html_free(tl_html_text read) {
  free(read.text);
  free(read.links);
}
