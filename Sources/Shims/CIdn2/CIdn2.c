#include "cidn2.h"

#include <idn2.h>
#include <string.h>

// Takes what libidn2 made.
static int take(char *made, char *out, size_t room) {
  size_t n = made ? strlen(made) + 1 : 0;
  int fits = n > 0 && n <= room;
  if (fits) memcpy(out, made, n);
  idn2_free(made);
  return fits;
}

int tl_domain_to_ascii(const char *domain, char *out, size_t room) {
  uint8_t *made = NULL;
  int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
  if (idn2_lookup_u8((const uint8_t *)domain, &made, flags) != IDN2_OK) return 0;
  return take((char *)made, out, room);
}

int tl_domain_to_unicode(const char *domain, char *out, size_t room) {
  char *made = NULL;
  if (idn2_to_unicode_8z8z(domain, &made, IDN2_NONTRANSITIONAL) != IDN2_OK) return 0;
  return take(made, out, room);
}
