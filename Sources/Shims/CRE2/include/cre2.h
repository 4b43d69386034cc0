#ifndef THROUGHLINE_CRE2_H
#define THROUGHLINE_CRE2_H

#include <stddef.h>
#include <stdint.h>

// RE2 behind a C face: compiled once, matched in time linear in the text, memory bounded at compile time.
#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_pattern cre2_pattern;

/// Compiles a pattern. NULL when it is wrong or its program would exceed `memory` bytes; then `error` holds
/// a sentence of at most `error_length` bytes, ended by NUL.
cre2_pattern *cre2_compile(const char *pattern, size_t length, int64_t memory, char *error, size_t error_length);

void cre2_free(cre2_pattern *pattern);

/// 1 when the pattern is found anywhere in the text.
int cre2_find(const cre2_pattern *pattern, const char *text, size_t length);

/// The number of the pattern's capturing groups.
int cre2_groups(const cre2_pattern *pattern);

/// How many instructions the compiled pattern has.
int cre2_size(const cre2_pattern *pattern);

/// Finds the first match at or after `from`; writes 2 × (groups + 1) offsets, -1 for a group that took no
/// part. `offsets` must hold `count` integers. 1 when found.
int cre2_match(
    const cre2_pattern *pattern, const char *text, size_t length, size_t from, int64_t *offsets, size_t count);

#ifdef __cplusplus
}
#endif

#endif
