// TLS over non-blocking sockets with OpenSSL, whose own headers Swift never sees.
//
// Input is handed over as it was received: the session reads it where it lies, so that an idle connection owns
// no input buffer and a batch costs one `recv`. Output goes straight to the descriptor.
#ifndef THROUGHLINE_CTLS_H
#define THROUGHLINE_CTLS_H

#include <stddef.h>
#include <stdint.h>

typedef struct tls_keys tls_keys;
typedef struct tls_server tls_server;
typedef struct tls_client tls_client;
typedef struct tls_session tls_session;

// What a call answers beside a count. The kernel's own errors are negated errnos, above these.
enum { TLS_ENDED = 0, TLS_DONE = 1, TLS_WANTS_INPUT = -10001, TLS_WANTS_ROOM = -10002, TLS_FAILED = -10003 };

#define TLS_REASON_MAX 200

// MARK: session tickets

/// Keys for session tickets, which outlive a reload of certificates. They change by themselves.
tls_keys *tls_keys_create(uint32_t rotation_seconds);
void tls_keys_free(tls_keys *keys);
/// As if so much time had passed, for tests.
void tls_keys_age(tls_keys *keys, uint32_t seconds);

// MARK: servers and clients

/// `minimum` is 12 or 13; `alpn` in wire form, empty for a protocol without. The keys must outlive the server
/// and all of its sessions.
tls_server *tls_server_create(int minimum, const void *alpn, size_t alpn_count, tls_keys *keys);
/// Adds a certificate chain with its key, both as PEM. The first one serves whoever names no host that is known.
/// Answers 0 and a reason when they are no good.
int tls_server_add(
    tls_server *server, const void *chain, size_t chain_count, const void *key, size_t key_count,
    char reason[TLS_REASON_MAX]);
/// Seconds since 1970 at which the earliest of its certificates ends.
int64_t tls_server_expiry(const tls_server *server);
void tls_server_free(tls_server *server);

/// A client that checks no certificate, for talking with ourselves over loopback.
tls_client *tls_client_create(const void *alpn, size_t alpn_count);
void tls_client_free(tls_client *client);

// MARK: sessions

tls_session *tls_accept(tls_server *server, int descriptor);
/// `name` goes out as SNI, unless NULL. A client resumes the last session that it was given, if `resumes`.
tls_session *tls_connect(tls_client *client, int descriptor, const char *name, int resumes);
void tls_free(tls_session *session);

/// Lends received bytes to the session until `tls_keep_rest`.
void tls_lend(tls_session *session, const void *bytes, size_t count);
/// Ends the loan. What was not yet read (only when `TLS_WANTS_ROOM` interrupted) is copied. 0: out of memory.
int tls_keep_rest(tls_session *session);

/// `TLS_DONE`, or what it waits for.
long tls_handshake(tls_session *session);
/// Decrypted bytes, or what it waits for; `TLS_ENDED` when the peer has said that it will send no more.
long tls_read(tls_session *session, void *out, size_t count);
/// Encrypts and sends at most one record. After `TLS_WANTS_ROOM` the same bytes must come first again.
long tls_write(tls_session *session, const void *bytes, size_t count);
/// Says that no more will be sent; whether that leaves is not waited for.
void tls_finish(tls_session *session);

/// Why the last call answered `TLS_FAILED`.
void tls_reason(const tls_session *session, char out[TLS_REASON_MAX]);
/// 12 or 13, once the handshake is done.
int tls_version(const tls_session *session);
int tls_was_resumed(const tls_session *session);
/// The chosen protocol's name, or an empty one.
size_t tls_alpn(const tls_session *session, char out[256]);

#endif
