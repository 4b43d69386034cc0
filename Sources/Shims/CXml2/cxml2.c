#define _GNU_SOURCE  // strcasestr
#include "cxml2.h"

#include <limits.h>
#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Deeper quotes than this are shown at this depth.
#define QUOTE_MAX 16

typedef struct {
  char *bytes;
  size_t count, room, max;
  int quote;
  int line_starts;  // nothing stands on this line yet
  int blanks;       // line breaks owed before the next word
  int space;        // a space owed
  int pre;
  int wrote;
} writer;

static void put(writer *w, const char *text, size_t n) {
  if (w->count + n > w->max) n = w->max > w->count ? w->max - w->count : 0;
  if (w->count + n > w->room) {
    size_t room = w->room ? w->room * 2 : 4096;
    while (room < w->count + n) room *= 2;
    char *grown = realloc(w->bytes, room);
    if (!grown) {
      w->max = w->count;
      return;
    }
    w->bytes = grown;
    w->room = room;
  }
  if (n) memcpy(w->bytes + w->count, text, n);
  w->count += n;
}

static void put_prefix(writer *w) {
  for (int i = 0; i < w->quote && i < QUOTE_MAX; i++) put(w, ">", 1);
  if (w->quote) put(w, " ", 1);
}

static void break_lines(writer *w, int lines) {
  if (w->wrote && w->blanks < lines) w->blanks = lines;
}

// White space at a line's end goes, except in `-- `, where it means something (RFC 3676 §4.3).
static void trim_line(writer *w) {
  if (w->count >= 3 && memcmp(w->bytes + w->count - 3, "-- ", 3) == 0 &&
      (w->count == 3 || w->bytes[w->count - 4] == '\n'))
    return;
  while (w->count && w->bytes[w->count - 1] == ' ') w->count--;
}

static void start_word(writer *w) {
  if (w->blanks || !w->wrote) {
    if (w->blanks) trim_line(w);
    for (int i = 0; i < w->blanks; i++) {
      put(w, "\n", 1);
      if (i + 1 < w->blanks && w->quote) put_prefix(w);
    }
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

static const char *const skipped[] = {"script", "style", "head", "title", "template", "noscript", "object", "svg", NULL};
static const char *const paragraphs[] = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "pre", "blockquote",
                                         "table", NULL};
static const char *const blocks[] = {"div", "tr", "li", "dt", "dd", "section", "article", "header", "footer", "address",
                                     "center", "form", "fieldset", "body", NULL};

// Word's paragraphs are lines: it puts an empty one between what it means as paragraphs.
// libxml2 2.9 reads its `<o:p>` as `<p>`, which otherwise never stands inside a paragraph.
static int spacing(xmlNode *node) {
  int level = 0;
  for (xmlNode *up = node->parent; up && level < 4; up = up->parent, level++)
    if (up->type == XML_ELEMENT_NODE && strcasecmp((const char *)up->name, "p") == 0) return 0;
  return has_word(node, "class", "MsoNormal") ? 1 : 2;
}

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

// Returns whether the node's children are to be read.
static int enter(writer *w, xmlNode *node) {
  if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
    if (node->content) put_text(w, (const char *)node->content);
    return 0;
  }
  if (node->type != XML_ELEMENT_NODE) return 0;
  if (is_one_of(node->name, skipped) || is_hidden(node)) return 0;
  // Gmail's own `-- `: ours is put before every signature.
  if (has_word(node, "class", "gmail_signature_prefix")) return 0;
  if (!w->quote && starts_quoted_mail(node)) {
    break_lines(w, 2);
    start_word(w);
    put(w, "-----Original Message-----", 26);
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
  if (strcasecmp((const char *)node->name, "li") == 0) {
    start_word(w);
    put(w, "- ", 2);
  } else if (strcasecmp((const char *)node->name, "td") == 0 || strcasecmp((const char *)node->name, "th") == 0) {
    w->space = 1;
  } else if (strcasecmp((const char *)node->name, "pre") == 0) {
    w->pre++;
  } else if (is_signature(node) && !is_blank_node(node)) {
    break_lines(w, 1);
    start_word(w);
    put(w, "-- ", 3);
    break_lines(w, 1);
  }
  return 1;
}

static void leave(writer *w, xmlNode *node) {
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

// libxml2 drops whatever stands below an element deeper than 256, and a long thread's quotes are deeper: each turn
// brings four or more. Bounded all the same, since each stray end tag is looked for up to the root.
__attribute__((constructor)) static void set_depth(void) { xmlParserMaxDepth = 600; }

char *tl_html_to_text(const char *html, size_t count, size_t out_max, size_t *out_count) {
  *out_count = 0;
  if (count > INT_MAX / 2) return NULL;
  xmlSetGenericErrorFunc(NULL, ignore);
  htmlDocPtr document = htmlReadMemory(
      html, (int)count, NULL, "UTF-8",
      HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET | HTML_PARSE_COMPACT);
  if (!document) return NULL;
  writer w = {0};
  w.max = out_max;
  // Walked without recursion: a hostile page may be as deep as it is long.
  xmlNode *node = xmlDocGetRootElement(document);
  xmlNode *top = node;
  while (node) {
    if (enter(&w, node) && node->children) {
      node = node->children;
      continue;
    }
    if (node->type == XML_ELEMENT_NODE && !node->children && !is_one_of(node->name, skipped) && !is_hidden(node) &&
        strcasecmp((const char *)node->name, "br") != 0 && strcasecmp((const char *)node->name, "hr") != 0)
      leave(&w, node);
    while (node != top && !node->next) {
      node = node->parent;
      if (!node) break;
      leave(&w, node);
    }
    if (!node || node == top) break;
    node = node->next;
  }
  xmlFreeDoc(document);
  put(&w, "\n", 1);
  *out_count = w.count;
  return w.bytes;
}

void tl_html_free(char *text) { free(text); }
