#ifndef THROUGHLINE_CXML2_H
#define THROUGHLINE_CXML2_H

// libxml2's HTML parser behind a face that shows none of libxml2, whose headers clash with Foundation's ICU.

#include <stddef.h>

/// HTML in UTF-8 to plain text in UTF-8: blocks on lines of their own, quoted blocks behind `> `, signatures
/// behind `-- `. At most `out_max` bytes. NULL when nothing could be read; free with tl_html_free.
char *tl_html_to_text(const char *html, size_t count, size_t out_max, size_t *out_count);
void tl_html_free(char *text);

#endif
