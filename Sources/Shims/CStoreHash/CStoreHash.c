#include "CStoreHash.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

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

void tl_store_sha256(const void *first, size_t first_count, const void *second, size_t second_count, void *out) {
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

int tl_store_entropy(void *out, size_t count) {
  return getentropy(out, count);
}
