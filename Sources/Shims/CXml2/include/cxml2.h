#ifndef THROUGHLINE_CXML2_H
#define THROUGHLINE_CXML2_H

// libxml2's HTML parser behind a face that shows none of libxml2, whose headers clash with Foundation's ICU.

#include <stddef.h>

/// HTML in UTF-8 to plain text in UTF-8: blocks on lines of their own, quoted blocks behind `> `, signatures
/// behind `-- `, where a link leads in `<>` behind its text. At most `out_max` bytes; `is_cut` says that there was more,
/// or may have been. NULL when nothing could be read; free with tl_html_free.
char *tl_html_to_text(const char *html, size_t count, size_t out_max, size_t *out_count, int *is_cut);
void tl_html_free(char *text);

#endif
