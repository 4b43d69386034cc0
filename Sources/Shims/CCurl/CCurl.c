#include "CCurl.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct cc_transfer {
  CURL *easy;
  uint64_t id;
  struct curl_slist *recipients, *headers;
  unsigned char *body;
  size_t body_count, body_read;
  unsigned char *response;
  size_t response_count, response_max;
  cc_may_connect may_connect;
  int forbidden;
  int is_mail;
  CURLcode result;
  char error[CURL_ERROR_SIZE];
};

static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static void prepare(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

// MARK: The multi

cc_multi *cc_multi_create(int connections_max) {
  pthread_once(&prepared, prepare);
  CURLM *multi = curl_multi_init();
  if (multi) curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections_max);
  return (cc_multi *)multi;
}
void cc_multi_free(cc_multi *multi) { curl_multi_cleanup((CURLM *)multi); }
void cc_multi_wake(cc_multi *multi) { curl_multi_wakeup((CURLM *)multi); }

int cc_multi_turn(cc_multi *multi, int wait_ms) {
  int running = 0;
  if (curl_multi_perform((CURLM *)multi, &running) != CURLM_OK) return -1;
  if (running > 0 && curl_multi_poll((CURLM *)multi, NULL, 0, wait_ms, NULL) != CURLM_OK) return -1;
  return running;
}

cc_transfer *cc_multi_next_done(cc_multi *multi) {
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read((CURLM *)multi, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    cc_transfer *transfer = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
    transfer->result = message->data.result;
    curl_multi_remove_handle((CURLM *)multi, transfer->easy);
    return transfer;
  }
  return NULL;
}

int cc_multi_start(cc_multi *multi, cc_transfer *transfer) {
  return curl_multi_add_handle((CURLM *)multi, transfer->easy) == CURLM_OK ? 0 : -1;
}

// MARK: A transfer

static size_t read_body(char *out, size_t size, size_t count, void *context) {
  cc_transfer *transfer = context;
  size_t room = size * count, left = transfer->body_count - transfer->body_read;
  size_t taken = left < room ? left : room;
  memcpy(out, transfer->body + transfer->body_read, taken);
  transfer->body_read += taken;
  return taken;
}

// A kept connection that turns out dead makes libcurl send the body again from its start.
static int rewind_body(void *context, curl_off_t offset, int origin) {
  cc_transfer *transfer = context;
  if (origin != SEEK_SET || offset < 0 || (size_t)offset > transfer->body_count) return CURL_SEEKFUNC_FAIL;
  transfer->body_read = (size_t)offset;
  return CURL_SEEKFUNC_OK;
}

static size_t keep_response(char *bytes, size_t size, size_t count, void *context) {
  cc_transfer *transfer = context;
  size_t given = size * count, room = transfer->response_max - transfer->response_count;
  size_t kept = given < room ? given : room;
  memcpy(transfer->response + transfer->response_count, bytes, kept);
  transfer->response_count += kept;
  return given;
}

// For mail libcurl hands every reply line over as a header; the last one stands.
static size_t keep_reply(char *bytes, size_t size, size_t count, void *context) {
  cc_transfer *transfer = context;
  // 221 answers the QUIT that libcurl sends when it gives a connection up after a failure.
  if (!transfer->is_mail || (size * count > 3 && !memcmp(bytes, "221", 3))) return size * count;
  transfer->response_count = 0;
  return keep_response(bytes, size, count, context);
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
  cc_transfer *transfer = context;
  (void)purpose;
  if (transfer->may_connect && !transfer->may_connect(&address->addr, (uint32_t)address->addrlen)) {
    transfer->forbidden = 1;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

cc_transfer *cc_transfer_create(const char *url, const char *protocols, uint64_t id, const void *body,
                                size_t body_count, long connect_ms, long total_ms, size_t response_max) {
  pthread_once(&prepared, prepare);
  cc_transfer *transfer = calloc(1, sizeof *transfer);
  if (!transfer) return NULL;
  transfer->id = id;
  transfer->body_count = body_count;
  transfer->response_max = response_max;
  transfer->body = malloc(body_count + 1);
  transfer->response = malloc(response_max + 1);
  CURL *easy = transfer->easy = curl_easy_init();
  if (!transfer->body || !transfer->response || !easy) {
    cc_transfer_free(transfer);
    return NULL;
  }
  if (body_count) memcpy(transfer->body, body, body_count);
  int bad = curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK;
  bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols) != CURLE_OK;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // A proxy from the environment would be the one that is connected to, and checked, instead of the target.
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, total_ms);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_body);
  curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_body);
  curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_response);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, keep_reply);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
  if (bad) {
    cc_transfer_free(transfer);
    return NULL;
  }
  return transfer;
}

void cc_transfer_free(cc_transfer *transfer) {
  if (transfer->easy) curl_easy_cleanup(transfer->easy);
  curl_slist_free_all(transfer->recipients);
  curl_slist_free_all(transfer->headers);
  free(transfer->body);
  free(transfer->response);
  free(transfer);
}

void cc_transfer_check_addresses(cc_transfer *transfer, cc_may_connect may_connect) {
  transfer->may_connect = may_connect;
  // A kept connection was checked under another rule, perhaps; a name may have moved since.
  if (may_connect) curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
}

void cc_transfer_trust(cc_transfer *transfer, const char *authorities_path) {
  curl_easy_setopt(transfer->easy, CURLOPT_CAINFO, authorities_path);
}

int cc_transfer_mail(cc_transfer *transfer, const char *from, int tls, const char *user, const char *password) {
  CURL *easy = transfer->easy;
  transfer->is_mail = 1;
  long level = CURLUSESSL_NONE;
  if (tls == CC_TLS_REQUIRED) level = CURLUSESSL_ALL;
  if (tls == CC_TLS_IF_OFFERED) level = CURLUSESSL_TRY;
  int bad = curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from) != CURLE_OK;
  bad |= curl_easy_setopt(easy, CURLOPT_USE_SSL, level) != CURLE_OK;
  bad |= curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) != CURLE_OK;
  bad |= curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->body_count) != CURLE_OK;
  if (user) bad |= curl_easy_setopt(easy, CURLOPT_USERNAME, user) != CURLE_OK;
  if (password) bad |= curl_easy_setopt(easy, CURLOPT_PASSWORD, password) != CURLE_OK;
  return bad ? -1 : 0;
}

int cc_transfer_add_recipient(cc_transfer *transfer, const char *recipient) {
  struct curl_slist *longer = curl_slist_append(transfer->recipients, recipient);
  if (!longer) return -1;
  transfer->recipients = longer;
  return curl_easy_setopt(transfer->easy, CURLOPT_MAIL_RCPT, longer) == CURLE_OK ? 0 : -1;
}

int cc_transfer_post(cc_transfer *transfer) {
  CURL *easy = transfer->easy;
  int bad = curl_easy_setopt(easy, CURLOPT_POST, 1L) != CURLE_OK;
  bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body_count) != CURLE_OK;
  bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK;
  return bad ? -1 : 0;
}

int cc_transfer_add_header(cc_transfer *transfer, const char *line) {
  struct curl_slist *longer = curl_slist_append(transfer->headers, line);
  if (!longer) return -1;
  transfer->headers = longer;
  return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, longer) == CURLE_OK ? 0 : -1;
}

uint64_t cc_transfer_id(const cc_transfer *transfer) { return transfer->id; }
int cc_transfer_succeeded(const cc_transfer *transfer) { return transfer->result == CURLE_OK; }
int cc_transfer_timed_out(const cc_transfer *transfer) { return transfer->result == CURLE_OPERATION_TIMEDOUT; }
int cc_transfer_was_forbidden(const cc_transfer *transfer) {
  return transfer->forbidden && transfer->result != CURLE_OK;
}

int cc_transfer_was_refused(const cc_transfer *transfer) {
  // MAIL, RCPT and DATA end in CURLE_SEND_ERROR; a greeting and the end of the words in the same odd reply.
  if (transfer->result == CURLE_SEND_ERROR) return 1;
  curl_off_t sent = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  return transfer->result == CURLE_WEIRD_SERVER_REPLY && sent > 0;
}

long cc_transfer_status(const cc_transfer *transfer) {
  long status = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

const char *cc_transfer_error(const cc_transfer *transfer) {
  return transfer->error[0] ? transfer->error : curl_easy_strerror(transfer->result);
}

const void *cc_transfer_response(const cc_transfer *transfer, size_t *count) {
  *count = transfer->response_count;
  return transfer->response;
}
