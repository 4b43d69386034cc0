#define _GNU_SOURCE
#include "CTLS.h"
#include "tickets.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct tls_server {
  SSL_CTX **identities;  // one a certificate; the first is for whoever names no known host
  size_t count;
  int minimum;
  unsigned char alpn[64];
  size_t alpn_count;
  tls_keys *keys;
  int64_t expiry;
};

struct tls_client {
  SSL_CTX *context;
  SSL_SESSION *last;
};

struct tls_session {
  SSL *ssl;
  tls_client *client;
  int descriptor;
  int sent_error;               // the errno of the last send that failed, or 0
  const unsigned char *lent;    // input that lies in the caller's buffer
  size_t lent_count;
  unsigned char *kept;          // input of an earlier loan, read first
  size_t kept_count, kept_read;
  unsigned long failure;        // OpenSSL's code
};

// MARK: the socket as OpenSSL sees it

static int bio_read(BIO *bio, char *out, size_t wanted, size_t *got) {
  tls_session *s = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  size_t from_kept = s->kept_count - s->kept_read;
  size_t count = from_kept ? from_kept : s->lent_count;
  if (count == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  if (count > wanted) count = wanted;
  if (from_kept) {
    memcpy(out, s->kept + s->kept_read, count);
    s->kept_read += count;
  } else {
    memcpy(out, s->lent, count);
    s->lent += count;
    s->lent_count -= count;
  }
  *got = count;
  return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t count, size_t *sent) {
  tls_session *s = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  ssize_t n;
  do n = send(s->descriptor, bytes, count, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n >= 0) {
    *sent = (size_t)n;
    return 1;
  }
  if (errno == EAGAIN) BIO_set_retry_write(bio);
  else s->sent_error = errno;
  return 0;
}

static long bio_control(BIO *bio, int command, long n, void *p) {
  (void)bio, (void)n, (void)p;
  return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio) {
  BIO_set_init(bio, 1);
  return 1;
}

static BIO_METHOD *method;

__attribute__((constructor)) static void make_method(void) {
  method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lane");
  if (!method) abort();
  BIO_meth_set_read_ex(method, bio_read);
  BIO_meth_set_write_ex(method, bio_write);
  BIO_meth_set_ctrl(method, bio_control);
  BIO_meth_set_create(method, bio_create);
}

// MARK: contexts

// Mozilla's "intermediate" list without its finite-field suites: forward secrecy and AEAD only. Those of 1.3
// are OpenSSL's own.
static const char *const suites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

static void put_reason(char *out, const char *doing) {
  unsigned long code = ERR_get_error();
  const char *why = code ? ERR_reason_error_string(code) : NULL;
  snprintf(out, TLS_REASON_MAX, "%s%s%s", doing, why ? ": " : "", why ? why : "");
  ERR_clear_error();
}

static SSL_CTX *context_create(const SSL_METHOD *side) {
  SSL_CTX *c = SSL_CTX_new(side);
  if (!c) return NULL;
  SSL_CTX_set_mode(
      c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(
      c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
             SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_security_level(c, 2);
  if (!SSL_CTX_set_cipher_list(c, suites12) || !SSL_CTX_set1_groups_list(c, "X25519:P-256:P-384")) {
    SSL_CTX_free(c);
    return NULL;
  }
  return c;
}

// RFC 7301 §3.2: a client that offers only what we do not speak is told so, which also keeps bytes meant for
// another protocol from being read as ours (ALPACA).
static int choose_alpn(
    SSL *ssl, const unsigned char **out, unsigned char *out_count, const unsigned char *offered,
    unsigned offered_count, void *argument) {
  (void)ssl;
  tls_server *server = argument;
  unsigned char *chosen = NULL;
  if (SSL_select_next_proto(
          &chosen, out_count, server->alpn, (unsigned)server->alpn_count, offered, offered_count) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// The one whose certificate is for this name; NULL where none is.
static SSL_CTX *identity_for(const tls_server *server, const char *name, size_t count) {
  for (size_t i = 0; count && i < server->count; i++) {
    X509 *certificate = SSL_CTX_get0_certificate(server->identities[i]);
    if (certificate && X509_check_host(certificate, name, count, 0, NULL) == 1) return server->identities[i];
  }
  return NULL;
}

// RFC 6066 §3: `ServerNameList` of two bytes' length, of which a host name is the only kind there is.
static size_t told_name(SSL *ssl, const unsigned char **name) {
  const unsigned char *told;
  size_t count;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &told, &count) != 1 || count < 5) return 0;
  size_t length = (size_t)told[3] << 8 | told[4];
  if (told[2] != TLSEXT_NAMETYPE_host_name || length != count - 5 || memchr(told + 5, 0, length)) return 0;
  *name = told + 5;
  return length;
}

// Before a ticket is looked at: a session that began under another certificate must not go on under this name
// (RFC 6066 §3), and each identity takes its own sessions alone.
static int choose_identity(SSL *ssl, int *alert, void *argument) {
  (void)alert;
  const unsigned char *name = NULL;
  size_t count = told_name(ssl, &name);
  SSL_CTX *chosen = identity_for(argument, (const char *)name, count);
  if (chosen) SSL_set_SSL_CTX(ssl, chosen);
  return SSL_CLIENT_HELLO_SUCCESS;
}

static int acknowledge_name(SSL *ssl, int *alert, void *argument) {
  (void)alert;
  const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  // RFC 6066 §3: whoever asks for a name that is not here goes on with the first one.
  return identity_for(argument, name, name ? strlen(name) : 0) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

tls_server *tls_server_create(int minimum, const void *alpn, size_t alpn_count, tls_keys *keys) {
  tls_server *server = calloc(1, sizeof *server);
  if (!server || alpn_count > sizeof server->alpn) {
    free(server);
    return NULL;
  }
  server->minimum = minimum;
  if (alpn_count) memcpy(server->alpn, alpn, alpn_count);
  server->alpn_count = alpn_count;
  server->keys = keys;
  server->expiry = INT64_MAX;
  return server;
}

static int no_password(char *out, int count, int writing, void *argument) {
  (void)out, (void)count, (void)writing, (void)argument;
  return -1;
}

static int kind_of(X509 *certificate) { return EVP_PKEY_base_id(X509_get0_pubkey(certificate)); }

static GENERAL_NAMES *names_of(X509 *certificate) {
  return certificate ? X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL) : NULL;
}

static int all_stand_in(const GENERAL_NAMES *some, const GENERAL_NAMES *others) {
  for (int i = 0; i < sk_GENERAL_NAME_num(some); i++) {
    int stands = 0;
    for (int k = 0; !stands && k < sk_GENERAL_NAME_num(others); k++)
      stands = !GENERAL_NAME_cmp(sk_GENERAL_NAME_value(some, i), sk_GENERAL_NAME_value(others, k));
    if (!stands) return 0;
  }
  return 1;
}

// The context of a certificate for the same names, under a key of another kind: OpenSSL chooses among those of one
// context by what the client can check, which SNI does not tell.
static SSL_CTX *sister(const tls_server *server, const void *chain, size_t chain_count) {
  BIO *in = BIO_new_mem_buf(chain, (int)chain_count);
  X509 *leaf = in ? PEM_read_bio_X509_AUX(in, NULL, no_password, NULL) : NULL;
  GENERAL_NAMES *names = names_of(leaf);
  SSL_CTX *found = NULL;
  for (size_t i = 0; names && !found && i < server->count; i++) {
    found = server->identities[i];
    for (long more = SSL_CTX_set_current_cert(found, SSL_CERT_SET_FIRST); more && found;
         more = SSL_CTX_set_current_cert(server->identities[i], SSL_CERT_SET_NEXT)) {
      X509 *known = SSL_CTX_get0_certificate(found);
      GENERAL_NAMES *others = names_of(known);
      int fits = others && kind_of(known) != kind_of(leaf) && all_stand_in(names, others) &&
                 all_stand_in(others, names);
      GENERAL_NAMES_free(others);
      if (!fits) found = NULL;
    }
  }
  GENERAL_NAMES_free(names);
  X509_free(leaf);
  BIO_free(in);
  ERR_clear_error();
  return found;
}

static int use_identity(
    SSL_CTX *c, const void *chain, size_t chain_count, const void *key, size_t key_count, char *reason) {
  BIO *in = BIO_new_mem_buf(chain, (int)chain_count);
  BIO *key_in = BIO_new_mem_buf(key, (int)key_count);
  X509 *leaf = in ? PEM_read_bio_X509_AUX(in, NULL, no_password, NULL) : NULL;
  EVP_PKEY *secret = key_in ? PEM_read_bio_PrivateKey(key_in, NULL, no_password, NULL) : NULL;
  STACK_OF(X509) *rest = sk_X509_new_null();
  int ok = 0;
  if (!leaf) {
    put_reason(reason, "no certificate in PEM form");
  } else if (!secret) {
    put_reason(reason, "no private key in PEM form, or one with a password");
  } else if (rest) {
    for (X509 *more; (more = PEM_read_bio_X509(in, NULL, no_password, NULL));) sk_X509_push(rest, more);
    ERR_clear_error();  // the end of the file
    ok = SSL_CTX_use_cert_and_key(c, leaf, secret, rest, 1) == 1;
    if (!ok) put_reason(reason, "the certificate and its key cannot be used");
  }
  if (rest) sk_X509_pop_free(rest, X509_free);
  EVP_PKEY_free(secret);
  X509_free(leaf);
  BIO_free(in);
  BIO_free(key_in);
  return ok;
}

static int64_t ends_at(SSL_CTX *c) {
  struct tm end;
  X509 *certificate = SSL_CTX_get0_certificate(c);
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return INT64_MAX;
  return (int64_t)timegm(&end);
}

int tls_server_add(
    tls_server *server, const void *chain, size_t chain_count, const void *key, size_t key_count,
    char reason[TLS_REASON_MAX]) {
  ERR_clear_error();
  reason[0] = 0;
  SSL_CTX *known = sister(server, chain, chain_count);
  if (known) {
    int ok = use_identity(known, chain, chain_count, key, key_count, reason);
    int64_t end = ends_at(known);
    if (ok && end < server->expiry) server->expiry = end;
    return ok;
  }
  SSL_CTX **wider = realloc(server->identities, (server->count + 1) * sizeof *wider);
  if (wider) server->identities = wider;
  SSL_CTX *c = wider ? context_create(TLS_server_method()) : NULL;
  if (!c) {
    put_reason(reason, "OpenSSL gives no context");
    return 0;
  }
  SSL_CTX_set_min_proto_version(c, server->minimum >= 13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  // Sessions live in tickets, never here: memory stays with the client.
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  // By place: the same after the same files were read again.
  unsigned char own[] = {(unsigned char)(server->count >> 8), (unsigned char)server->count};
  SSL_CTX_set_session_id_context(c, own, sizeof own);
  tls_keys_use(server->keys, c);
  SSL_CTX_set_client_hello_cb(c, choose_identity, server);
  SSL_CTX_set_tlsext_servername_callback(c, acknowledge_name);
  SSL_CTX_set_tlsext_servername_arg(c, server);
  if (server->alpn_count) SSL_CTX_set_alpn_select_cb(c, choose_alpn, server);
  if (!use_identity(c, chain, chain_count, key, key_count, reason)) {
    SSL_CTX_free(c);
    return 0;
  }
  server->identities[server->count++] = c;
  int64_t end = ends_at(c);
  if (end < server->expiry) server->expiry = end;
  return 1;
}

int64_t tls_server_expiry(const tls_server *server) { return server->expiry; }

void tls_server_free(tls_server *server) {
  for (size_t i = 0; i < server->count; i++) SSL_CTX_free(server->identities[i]);
  free(server->identities);
  free(server);
}

static int keep_session(SSL *ssl, SSL_SESSION *given) {
  tls_session *session = SSL_get_app_data(ssl);
  if (!session || !session->client) return 0;
  if (session->client->last) SSL_SESSION_free(session->client->last);
  session->client->last = given;
  return 1;
}

tls_client *tls_client_create(const void *alpn, size_t alpn_count) {
  tls_client *client = calloc(1, sizeof *client);
  if (!client) return NULL;
  client->context = context_create(TLS_client_method());
  if (!client->context) {
    free(client);
    return NULL;
  }
  SSL_CTX_set_session_cache_mode(client->context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(client->context, keep_session);
  if (alpn_count) SSL_CTX_set_alpn_protos(client->context, alpn, (unsigned)alpn_count);
  return client;
}

void tls_client_free(tls_client *client) {
  if (client->last) SSL_SESSION_free(client->last);
  SSL_CTX_free(client->context);
  free(client);
}

// MARK: sessions

static tls_session *session_create(SSL_CTX *context, int descriptor) {
  tls_session *s = calloc(1, sizeof *s);
  SSL *ssl = s ? SSL_new(context) : NULL;
  BIO *bio = ssl ? BIO_new(method) : NULL;
  if (!bio) {
    SSL_free(ssl);
    free(s);
    ERR_clear_error();
    return NULL;
  }
  s->ssl = ssl;
  s->descriptor = descriptor;
  BIO_set_data(bio, s);
  SSL_set_bio(ssl, bio, bio);
  SSL_set_app_data(ssl, s);
  return s;
}

tls_session *tls_accept(tls_server *server, int descriptor) {
  if (!server->count) return NULL;
  tls_session *s = session_create(server->identities[0], descriptor);
  if (s) SSL_set_accept_state(s->ssl);
  return s;
}

tls_session *tls_connect(tls_client *client, int descriptor, const char *name, int resumes) {
  tls_session *s = session_create(client->context, descriptor);
  if (!s) return NULL;
  s->client = client;
  if (name) SSL_set_tlsext_host_name(s->ssl, name);
  if (resumes && client->last) SSL_set_session(s->ssl, client->last);
  SSL_set_connect_state(s->ssl);
  return s;
}

void tls_free(tls_session *session) {
  SSL_free(session->ssl);
  free(session->kept);
  free(session);
}

void tls_lend(tls_session *s, const void *bytes, size_t count) {
  s->lent = bytes;
  s->lent_count = count;
}

int tls_keep_rest(tls_session *s) {
  int ok = 1;
  if (s->kept_read == s->kept_count) {
    free(s->kept);
    s->kept = NULL;
    s->kept_count = s->kept_read = 0;
  }
  if (s->lent_count) {
    unsigned char *wider = realloc(s->kept, s->kept_count + s->lent_count);
    ok = wider != NULL;
    if (wider) {
      memcpy(wider + s->kept_count, s->lent, s->lent_count);
      s->kept = wider;
      s->kept_count += s->lent_count;
    }
  }
  s->lent = NULL;
  s->lent_count = 0;
  return ok;
}

static long outcome(tls_session *s, int result) {
  switch (SSL_get_error(s->ssl, result)) {
    case SSL_ERROR_WANT_READ: return TLS_WANTS_INPUT;
    case SSL_ERROR_WANT_WRITE: return TLS_WANTS_ROOM;
    case SSL_ERROR_ZERO_RETURN: return TLS_ENDED;
    default:
      s->failure = ERR_peek_error();
      ERR_clear_error();
      return s->sent_error ? -(long)s->sent_error : TLS_FAILED;
  }
}

long tls_handshake(tls_session *s) {
  ERR_clear_error();
  int result = SSL_do_handshake(s->ssl);
  return result == 1 ? TLS_DONE : outcome(s, result);
}

long tls_read(tls_session *s, void *out, size_t count) {
  ERR_clear_error();
  size_t got = 0;
  int result = SSL_read_ex(s->ssl, out, count, &got);
  return result == 1 ? (long)got : outcome(s, result);
}

long tls_write(tls_session *s, const void *bytes, size_t count) {
  ERR_clear_error();
  size_t sent = 0;
  int result = SSL_write_ex(s->ssl, bytes, count, &sent);
  if (result == 1) return (long)sent;
  long why = outcome(s, result);
  return why == TLS_ENDED ? TLS_FAILED : why;
}

void tls_finish(tls_session *s) {
  ERR_clear_error();
  if (SSL_is_init_finished(s->ssl)) SSL_shutdown(s->ssl);
  ERR_clear_error();
}

void tls_reason(const tls_session *s, char out[TLS_REASON_MAX]) {
  const char *why = s->failure ? ERR_reason_error_string(s->failure) : NULL;
  snprintf(out, TLS_REASON_MAX, "%s", why ? why : "the connection broke");
}

int tls_version(const tls_session *s) { return SSL_version(s->ssl) == TLS1_3_VERSION ? 13 : 12; }
int tls_was_resumed(const tls_session *s) { return SSL_session_reused(s->ssl); }

size_t tls_alpn(const tls_session *s, char out[256]) {
  const unsigned char *chosen = NULL;
  unsigned count = 0;
  SSL_get0_alpn_selected(s->ssl, &chosen, &count);
  if (count > 255) count = 255;
  if (count) memcpy(out, chosen, count);
  return count;
}
