// SHA-256 by OpenSSL's EVP, in the few calls that Throughline needs. OpenSSL's own headers stay behind it.
#ifndef THROUGHLINE_COPENSSL_H
#define THROUGHLINE_COPENSSL_H

#include <stddef.h>
#include <stdint.h>

typedef struct tl_digest tl_digest;

/// A context for SHA-256, begun. NULL when memory is out.
tl_digest *tl_digest_create(void);
void tl_digest_update(tl_digest *digest, const void *bytes, size_t count);
/// Writes 32 bytes and begins again.
void tl_digest_finish(tl_digest *digest, void *out);
void tl_digest_free(tl_digest *digest);

/// SHA-256 of up to two pieces with the thread's own context: no allocation after the thread's first call.
void tl_sha256(const void *first, size_t first_count, const void *second, size_t second_count, void *out);

int tl_equal_in_constant_time(const void *a, const void *b, size_t count);

#endif
