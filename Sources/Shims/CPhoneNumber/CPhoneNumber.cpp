#include "CPhoneNumber.h"

#include <cstring>
#include <string>

#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace {

// Short of this many digits only a number that the metadata calls valid is one: an internal extension such as
// 100 is "possible" in Germany, and nobody's identity.
const size_t kNationalDigitsMin = 7;

long give(const std::string &text, char *out, size_t room) {
  if (text.empty() || text.size() > room) return -1;
  std::memcpy(out, text.data(), text.size());
  return static_cast<long>(text.size());
}

bool parse(const std::string &text, const std::string &region, PhoneNumber *number) {
  const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
  return util.Parse(text, region, number) == PhoneNumberUtil::NO_PARSING_ERROR;
}

// "Possible" and not "valid" is asked of long numbers: metadata age, and a country opens new ranges.
bool accepted(const PhoneNumber &number) {
  const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
  if (util.IsPossibleNumberWithReason(number) == PhoneNumberUtil::IS_POSSIBLE) {
    std::string national;
    util.GetNationalSignificantNumber(number, &national);
    if (national.size() >= kNationalDigitsMin) return true;
  }
  return util.IsValidNumber(number);
}

// Digits that phone systems send where a caller's are withheld, unknown or made up, though a number could be
// as long: two who are presented by them would be one customer. The few who really have such a number
// (9999999999 in India) are nobody by it: to know them less is better than to show them a stranger's words.
bool is_placeholder(const PhoneNumber &number) {
  std::string national;
  const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
  util.GetNationalSignificantNumber(number, &national);
  if (national.empty() || national.find_first_not_of(national[0]) == std::string::npos) return true;
  // So does +33100000000, which is valid as a number: eight zeros at the end are no line's.
  if (national.size() - 1 - national.find_last_not_of('0') >= 8) return true;
  // 1234567890 and its beginnings, also behind a 0.
  const std::string counted = "012345678901234567890";
  if (counted.compare(national[0] - '0', national.size(), national) == 0 && national[0] <= '1') return true;
  // North American area codes begin with 2 to 9 for good, and exchanges do. Of these only 0 is told: 555 123 4567
  // is what people try things with.
  if (number.country_code() == 1 && (national[0] <= '1' || (national.size() > 3 && national[3] == '0'))) return true;
  // A zero behind the country code is a number's in few plans (Italy's), and the metadata know which.
  return national[0] == '0' && !util.IsValidNumber(number);
}

bool all_digits(const std::string &text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

bool read(const std::string &text, const std::string &region, PhoneNumber *number) {
  const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
  const bool as_written = parse(text, region, number) && accepted(*number);
  if (as_written && (text.compare(0, 2, "00") != 0 || util.IsValidNumber(*number))) return true;
  // Trunks write `0044…` even where one dials 011, and `44…` without the plus. Only what is no number of
  // the region, and a valid one elsewhere, is read so.
  PhoneNumber elsewhere;
  if (all_digits(text)) {
    const std::string digits = text.compare(0, 2, "00") == 0 ? text.substr(2) : text;
    if (parse("+" + digits, "ZZ", &elsewhere) && util.IsValidNumber(elsewhere)) {
      *number = elsewhere;
      return true;
    }
  }
  return as_written;
}

}  // namespace

extern "C" long throughline_phone_e164(
    const char *raw, size_t count, const char *region, char *out, size_t room) try {
  PhoneNumber number;
  if (!read(std::string(raw, count), region, &number) || number.has_extension()) return -1;
  std::string text;
  PhoneNumberUtil::GetInstance()->Format(number, PhoneNumberUtil::E164, &text);
  return give(text, out, room);
} catch (...) {
  return -1;  // nothing thrown by C++ may reach Swift
}

extern "C" long throughline_phone_display(
    const char *e164, size_t count, const char *region, char *out, size_t room) try {
  const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
  PhoneNumber number;
  if (!parse(std::string(e164, count), "ZZ", &number)) return -1;
  const bool is_theirs = util.GetCountryCodeForRegion(region) == number.country_code();
  std::string text;
  util.Format(number, is_theirs ? PhoneNumberUtil::NATIONAL : PhoneNumberUtil::INTERNATIONAL, &text);
  return give(text, out, room);
} catch (...) {
  return -1;
}

extern "C" long throughline_phone_region(const char *e164, size_t count, char *out, size_t room) try {
  PhoneNumber number;
  if (!parse(std::string(e164, count), "ZZ", &number)) return -1;
  std::string region;
  PhoneNumberUtil::GetInstance()->GetRegionCodeForNumber(number, &region);
  return region == "ZZ" ? -1 : give(region, out, room);
} catch (...) {
  return -1;
}

extern "C" int throughline_phone_is_placeholder(const char *e164, size_t count) try {
  PhoneNumber number;
  return parse(std::string(e164, count), "ZZ", &number) && is_placeholder(number);
} catch (...) {
  return 0;
}

extern "C" int throughline_phone_knows_region(const char *region) try {
  return PhoneNumberUtil::GetInstance()->GetCountryCodeForRegion(region) != 0;
} catch (...) {
  return 0;
}
