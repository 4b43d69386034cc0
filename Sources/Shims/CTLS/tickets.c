// Keys of session tickets (RFC 5077 §4, RFC 8446 §4.6.1). A stolen key opens what was recorded under it, so it
// changes; the one before it still opens tickets, which are then renewed under the new one.
#define _GNU_SOURCE
#include "tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
  unsigned char name[16], cipher[32], mac[32];
} ticket_key;

struct tls_keys {
  pthread_mutex_t lock;
  ticket_key now, before;
  int has_before;
  time_t changes_at;
  uint32_t rotation_seconds;
  time_t aged;
};

static time_t monotonic_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec;
}

static int draw(ticket_key *key) { return RAND_priv_bytes((unsigned char *)key, sizeof *key) == 1; }

tls_keys *tls_keys_create(uint32_t rotation_seconds) {
  tls_keys *keys = calloc(1, sizeof *keys);
  if (!keys || !draw(&keys->now)) {
    free(keys);
    return NULL;
  }
  pthread_mutex_init(&keys->lock, NULL);
  keys->rotation_seconds = rotation_seconds;
  keys->changes_at = monotonic_seconds() + rotation_seconds;
  return keys;
}

void tls_keys_free(tls_keys *keys) {
  pthread_mutex_destroy(&keys->lock);
  OPENSSL_cleanse(keys, sizeof *keys);
  free(keys);
}

void tls_keys_age(tls_keys *keys, uint32_t seconds) {
  pthread_mutex_lock(&keys->lock);
  keys->aged += seconds;
  pthread_mutex_unlock(&keys->lock);
}

static void rotate(tls_keys *keys) {
  time_t now = monotonic_seconds() + keys->aged;
  if (now < keys->changes_at) return;
  ticket_key fresh;
  if (!draw(&fresh)) return;  // the old one is better than none; tried again at the next ticket
  // Nobody asked for a whole period: the key before is older than it may be.
  keys->has_before = now < keys->changes_at + (time_t)keys->rotation_seconds;
  keys->before = keys->now;
  keys->now = fresh;
  keys->changes_at = now + keys->rotation_seconds;
  OPENSSL_cleanse(&fresh, sizeof fresh);
}

/// Answers 1 for the key in use, 2 for the one before it, 0 for an unknown one.
static int pick(tls_keys *keys, const unsigned char *name, ticket_key *out) {
  int found = 0;
  pthread_mutex_lock(&keys->lock);
  rotate(keys);
  if (!name || !memcmp(name, keys->now.name, 16)) {
    *out = keys->now;
    found = 1;
  } else if (keys->has_before && !memcmp(name, keys->before.name, 16)) {
    *out = keys->before;
    found = 2;
  }
  pthread_mutex_unlock(&keys->lock);
  return found;
}

static int index_of_keys = -1;

__attribute__((constructor)) static void make_index(void) {
  index_of_keys = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static int seal_or_open(
    SSL *ssl, unsigned char name[16], unsigned char iv[EVP_MAX_IV_LENGTH], EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int seals) {
  tls_keys *keys = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), index_of_keys);
  ticket_key key;
  if (!keys) return -1;
  int found = pick(keys, seals ? NULL : name, &key);
  if (!found) return 0;
  if (seals) {
    memcpy(name, key.name, 16);
    if (RAND_bytes(iv, 16) != 1) return -1;
  }
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac, sizeof key.mac),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0), OSSL_PARAM_construct_end()};
  int ok = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv, seals) == 1 &&
           EVP_MAC_CTX_set_params(mac, parameters) == 1;
  OPENSSL_cleanse(&key, sizeof key);
  return ok ? found : -1;
}

void tls_keys_use(tls_keys *keys, SSL_CTX *context) {
  SSL_CTX_set_ex_data(context, index_of_keys, keys);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, seal_or_open);
  SSL_CTX_set_timeout(context, keys->rotation_seconds);
}
