#ifndef THROUGHLINE_CPHONENUMBER_H
#define THROUGHLINE_CPHONENUMBER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A C face for libphonenumber. Each call may be made from any thread. Text is UTF-8 and need not end in
 * NUL; `region` is two capital letters (ISO 3166-1) and ends in NUL. The answer is the number of bytes
 * written to `out` (no NUL is added), or -1 when there is none or it would not fit. */

/* `raw` as a person or a phone system wrote it, to `+` and digits. */
long throughline_phone_e164(const char *raw, size_t count, const char *region, char *out, size_t room);

/* An E.164 number for people in `region`: national where it is theirs, else international. */
long throughline_phone_display(const char *e164, size_t count, const char *region, char *out, size_t room);

/* The two letters of the region that an E.164 number belongs to. */
long throughline_phone_region(const char *e164, size_t count, char *out, size_t room);

/* 1 when an E.164 number is what phone systems send where there is none, such as +10000000000. */
int throughline_phone_is_placeholder(const char *e164, size_t count);

/* 1 when numbers can be read as local ones of `region`. */
int throughline_phone_knows_region(const char *region);

#ifdef __cplusplus
}
#endif

#endif
