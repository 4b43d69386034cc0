// Outgoing mail and HTTP through libcurl's multi interface, in the few calls that Throughline needs. libcurl's
// options are variadic, which Swift cannot call; its headers stay behind this one.
//
// One thread at a time may use a `cc_multi` and its transfers; `cc_multi_wake` alone may come from any.
#ifndef THROUGHLINE_CCURL_H
#define THROUGHLINE_CCURL_H

#include <stddef.h>
#include <stdint.h>

typedef struct cc_multi cc_multi;
typedef struct cc_transfer cc_transfer;

/// Whether a transfer may connect to this socket address (`struct sockaddr`). Asked for every address, just
/// before the socket for it is made: what is checked is what is connected to.
typedef int (*cc_may_connect)(const void *address, uint32_t length);

/// NULL when memory is out.
cc_multi *cc_multi_create(int connections_max);
void cc_multi_free(cc_multi *multi);
void cc_multi_wake(cc_multi *multi);
/// Goes on with all transfers, then waits until something may be done. Answers how many still run, or -1.
int cc_multi_turn(cc_multi *multi, int wait_ms);
/// A transfer that has ended, taken out of the multi; NULL when there is none.
cc_transfer *cc_multi_next_done(cc_multi *multi);
int cc_multi_start(cc_multi *multi, cc_transfer *transfer);

/// What both kinds have. Everything is copied. NULL when memory is out or the URL is none.
cc_transfer *cc_transfer_create(const char *url, const char *protocols, uint64_t id, const void *body,
                                size_t body_count, long connect_ms, long total_ms, size_t response_max);
void cc_transfer_free(cc_transfer *transfer);
void cc_transfer_check_addresses(cc_transfer *transfer, cc_may_connect may_connect);
/// A file of certificates to trust instead of the system's.
void cc_transfer_trust(cc_transfer *transfer, const char *authorities_path);

enum { CC_TLS_NONE, CC_TLS_IF_OFFERED, CC_TLS_REQUIRED };
/// Makes it a mail.
int cc_transfer_mail(cc_transfer *transfer, const char *from, int tls, const char *user, const char *password);
int cc_transfer_add_recipient(cc_transfer *transfer, const char *recipient);
/// Makes it an HTTP POST. Redirects are not followed.
int cc_transfer_post(cc_transfer *transfer);
/// A whole line, `Name: value`.
int cc_transfer_add_header(cc_transfer *transfer, const char *line);

uint64_t cc_transfer_id(const cc_transfer *transfer);
/// Whether libcurl says that all went well.
int cc_transfer_succeeded(const cc_transfer *transfer);
int cc_transfer_timed_out(const cc_transfer *transfer);
int cc_transfer_was_forbidden(const cc_transfer *transfer);
/// Mail: whether the peer refused this very message, by its sender, its recipients or its words, and
/// not us before it had seen anything of it.
int cc_transfer_was_refused(const cc_transfer *transfer);
/// The last status of the peer, or 0.
long cc_transfer_status(const cc_transfer *transfer);
/// libcurl's words for what went wrong.
const char *cc_transfer_error(const cc_transfer *transfer);
/// The last line of the peer's reply (mail), or the body (HTTP, cut at `response_max`).
const void *cc_transfer_response(const cc_transfer *transfer, size_t *count);

#endif
