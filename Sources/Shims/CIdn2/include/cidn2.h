#pragma once
#include <stddef.h>

// libidn2 behind a face of two calls (RFC 5891, UTS 46 without the transition from IDNA 2003: `ß` stays).
// Both take a domain in UTF-8, ended by NUL, and write one of at most `room` bytes, its NUL included.
// 1 when it was written; 0 when it is no domain, or there is no room.
int tl_domain_to_ascii(const char *domain, char *out, size_t room);
int tl_domain_to_unicode(const char *domain, char *out, size_t room);
