// SHA-256 by OpenSSL's EVP; OpenSSL's own headers stay behind this one.
#ifndef THROUGHLINE_CSTOREHASH_H
#define THROUGHLINE_CSTOREHASH_H

#include <stddef.h>

/// SHA-256 of up to two pieces with the thread's own context: no allocation after the thread's first call.
void tl_store_sha256(const void *first, size_t first_count, const void *second, size_t second_count, void *out);

/// Fills with the kernel's entropy; 0, or -1 when the kernel refuses.
int tl_store_entropy(void *out, size_t count);

#endif
