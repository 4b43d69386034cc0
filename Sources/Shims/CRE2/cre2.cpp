#include "cre2.h"

#include <re2/re2.h>

#include <cstring>
#include <new>
#include <string>
#include <vector>

struct cre2_pattern {
  re2::RE2 compiled;
  cre2_pattern(const re2::StringPiece &text, const re2::RE2::Options &options) : compiled(text, options) {}
};

static void say(char *out, size_t length, const std::string &text) {
  if (out == nullptr || length == 0) return;
  size_t count = text.size() < length - 1 ? text.size() : length - 1;
  std::memcpy(out, text.data(), count);
  out[count] = 0;
}

extern "C" cre2_pattern *cre2_compile(
    const char *pattern, size_t length, int64_t memory, char *error, size_t error_length) {
  try {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(memory);
    auto *made = new (std::nothrow) cre2_pattern(re2::StringPiece(pattern, length), options);
    if (made == nullptr) {
      say(error, error_length, "out of memory");
      return nullptr;
    }
    if (made->compiled.ok()) return made;
    say(error, error_length, made->compiled.error());
    delete made;
    return nullptr;
  } catch (...) {  // Nothing thrown may cross into C.
    say(error, error_length, "the pattern could not be compiled");
    return nullptr;
  }
}

extern "C" void cre2_free(cre2_pattern *pattern) { delete pattern; }

extern "C" int cre2_find(const cre2_pattern *pattern, const char *text, size_t length) {
  return re2::RE2::PartialMatch(re2::StringPiece(text, length), pattern->compiled) ? 1 : 0;
}

extern "C" int cre2_groups(const cre2_pattern *pattern) { return pattern->compiled.NumberOfCapturingGroups(); }

extern "C" int cre2_size(const cre2_pattern *pattern) { return pattern->compiled.ProgramSize(); }

extern "C" int cre2_match(
    const cre2_pattern *pattern, const char *text, size_t length, size_t from, int64_t *offsets, size_t count) {
  size_t groups = static_cast<size_t>(pattern->compiled.NumberOfCapturingGroups()) + 1;
  if (count < groups * 2 || from > length) return 0;
  std::vector<re2::StringPiece> found(groups);
  re2::StringPiece whole(text, length);
  if (!pattern->compiled.Match(
          whole, from, length, re2::RE2::UNANCHORED, found.data(), static_cast<int>(groups)))
    return 0;
  for (size_t i = 0; i < groups; i++) {
    bool took = found[i].data() != nullptr;
    offsets[2 * i] = took ? found[i].data() - text : -1;
    offsets[2 * i + 1] = took ? offsets[2 * i] + static_cast<int64_t>(found[i].size()) : -1;
  }
  return 1;
}
