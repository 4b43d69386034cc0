#ifndef THROUGHLINE_CXML2_H
#define THROUGHLINE_CXML2_H

// libxml2's HTML parser behind a face that shows none of libxml2, whose headers clash with Foundation's ICU.

#include <stddef.h>

/// What is read of HTML. Free with tl_html_free.
typedef struct {
  /// UTF-8; NULL where nothing could be read.
  char *text;
  size_t count;
  /// Where links lead that are nothing but a picture, on a line each, in `<>`; NULL where none do.
  char *links;
  size_t links_count;
  /// There was more, or may have been.
  int is_cut;
  /// There are comments, styles, scripts, titles or pictures, which are no text.
  int hides;
} tl_html_text;

/// HTML in UTF-8 to plain text in UTF-8: blocks on lines of their own, quoted blocks behind `> `, signatures
/// behind `-- `, where a link leads in `<>` behind its text. At most `out_max` bytes. `is_part` says that this is the
/// beginning of what there was.
tl_html_text tl_html_to_text(const char *html, size_t count, size_t out_max, int is_part);
void tl_html_free(tl_html_text read);

#endif
