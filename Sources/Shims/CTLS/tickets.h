#ifndef THROUGHLINE_CTLS_TICKETS_H
#define THROUGHLINE_CTLS_TICKETS_H

#include "CTLS.h"
#include <openssl/ssl.h>

/// Makes a context seal its session tickets with these keys.
void tls_keys_use(tls_keys *keys, SSL_CTX *context);

#endif
