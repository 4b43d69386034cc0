#ifndef THROUGHLINE_CXML2_TIDY_H
#define THROUGHLINE_CXML2_TIDY_H

#include <stddef.h>

/// HTML of text and tags alone, which libxml2 reads to its end and as browsers do. `is_cut` says that words may have
/// gone with a tag, or that there was more than `max` bytes, or than memory; `hid` that comments, styles, scripts,
/// titles or pictures are not in it. `is_part` says that this is the beginning of what there was. Free `bytes`.
typedef struct {
  char *bytes;
  size_t count;
  int is_cut, hid;
} tl_tidy;

tl_tidy tl_tidy_html(const char *html, size_t count, size_t max, int is_part);

#endif
