#include "COpenSSL.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

// In OpenSSL 3, naming a digest looks it up in a provider each time; fetching it once takes that off the path.
static EVP_MD *sha256;
static pthread_key_t thread_context;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static void free_context(void *context) { EVP_MD_CTX_free(context); }
static void prepare(void) {
  sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  if (!sha256 || pthread_key_create(&thread_context, free_context)) abort();
}

// A digest can fail only when OpenSSL is broken or memory is out; to go on with a wrong hash would be worse.
static void must(int ok) {
  if (ok != 1) abort();
}

tl_digest *tl_digest_create(void) {
  pthread_once(&prepared, prepare);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (context) must(EVP_DigestInit_ex2(context, sha256, NULL));
  return (tl_digest *)context;
}
void tl_digest_update(tl_digest *digest, const void *bytes, size_t count) {
  must(EVP_DigestUpdate((EVP_MD_CTX *)digest, bytes, count));
}
void tl_digest_finish(tl_digest *digest, void *out) {
  must(EVP_DigestFinal_ex((EVP_MD_CTX *)digest, out, NULL));
  must(EVP_DigestInit_ex2((EVP_MD_CTX *)digest, NULL, NULL));
}
void tl_digest_free(tl_digest *digest) { EVP_MD_CTX_free((EVP_MD_CTX *)digest); }

void tl_sha256(const void *first, size_t first_count, const void *second, size_t second_count, void *out) {
  pthread_once(&prepared, prepare);
  EVP_MD_CTX *context = pthread_getspecific(thread_context);
  if (!context) {
    context = EVP_MD_CTX_new();
    if (!context) abort();
    must(EVP_DigestInit_ex2(context, sha256, NULL));
    pthread_setspecific(thread_context, context);
  }
  if (first_count) must(EVP_DigestUpdate(context, first, first_count));
  if (second_count) must(EVP_DigestUpdate(context, second, second_count));
  must(EVP_DigestFinal_ex(context, out, NULL));
  must(EVP_DigestInit_ex2(context, NULL, NULL));
}

int tl_equal_in_constant_time(const void *a, const void *b, size_t count) {
  return CRYPTO_memcmp(a, b, count) == 0;
}
