/// What charsets are called, and which of iconv's reads them.
///
/// Mail says `gb2312` and sends GBK, `shift_jis` and sends what Windows makes of it: each name stands
/// for the larger charset that contains it, as for browsers (WHATWG Encoding, §4.2 "Names and
/// labels"). Mail alone knows a few more: those that browsers refuse for their own safety, and names
/// that programs made up.
enum CharsetNames {
  /// What iconv calls it; nil for a name that is not in the table.
  static func iconv(_ name: String) -> String? {
    if let known = table[name] { return known }
    // `cp-850`, `win-1251`, `windows_1252`, `ibm-866`, `x-cp1250`
    var rest = name[...]
    if rest.hasPrefix("x-") { rest = rest.dropFirst(2) }
    if let known = table[String(rest)] { return known }
    guard let prefix = ["windows", "win", "cp", "ibm", "ms"].first(where: { rest.hasPrefix($0) })
    else { return nil }
    let digits = rest.dropFirst(prefix.count).drop { $0 == "-" || $0 == "_" }
    guard (3...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 })
    else { return nil }
    return table["cp\(digits)"] ?? "CP\(digits)"
  }

  private static let table: [String: String] = {
    var table: [String: String] = [:]
    for (charset, names) in names {
      for name in names.split(separator: " ") { table[String(name)] = charset }
    }
    return table
  }()

  private static let names: [(charset: String, names: String)] = [
    ("IBM866", "866 cp866 csibm866 ibm866"),
    (
      "ISO-8859-2",
      "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2"
    ),
    (
      "ISO-8859-3",
      "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3"
    ),
    (
      "ISO-8859-4",
      "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4"
    ),
    (
      "ISO-8859-5",
      "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988"
    ),
    (
      "ISO-8859-6",
      "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987"
    ),
    (
      "ISO-8859-7",
      "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek"
    ),
    // How it is laid out (`-i`, `-e`) does not change the letters (RFC 1556).
    (
      "ISO-8859-8",
      "csiso88598e csiso88598i csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-8859-8-i iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 logical visual"
    ),
    ("ISO-8859-10", "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6"),
    ("ISO-8859-13", "iso-8859-13 iso8859-13 iso885913"),
    ("ISO-8859-14", "iso-8859-14 iso8859-14 iso885914"),
    ("ISO-8859-15", "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 latin9"),
    ("ISO-8859-16", "iso-8859-16"),
    ("KOI8-R", "cskoi8r koi koi8 koi8-r koi8_r"),
    ("KOI8-U", "koi8-ru koi8-u"),
    ("MACINTOSH", "csmacintosh mac macintosh x-mac-roman"),
    ("CP874", "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874 cp874"),
    ("CP1250", "cp1250 windows-1250 x-cp1250"),
    ("CP1251", "cp1251 windows-1251 x-cp1251"),
    // Whoever says Latin-1 sends Windows-1252.
    (
      "CP1252",
      "ansi_x3.4-1968 cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 windows-1252 x-cp1252"
    ),
    ("CP1253", "cp1253 windows-1253 x-cp1253"),
    (
      "CP1254",
      "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254"
    ),
    ("CP1255", "cp1255 windows-1255 x-cp1255"),
    ("CP1256", "cp1256 windows-1256 x-cp1256"),
    ("CP1257", "cp1257 windows-1257 x-cp1257"),
    ("CP1258", "cp1258 windows-1258 x-cp1258"),
    ("MAC-CYRILLIC", "x-mac-cyrillic"),
    ("MAC-UK", "x-mac-ukrainian"),
    ("MAC-CENTRALEUROPE", "x-mac-ce x-mac-centraleurroman"),
    (
      "GB18030",
      "gb18030 chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk cp936 ms936 euc-cn euccn x-euc-cn cn-gb gb2312-80 gb2312-1980"
    ),
    // Not of glibc: read by `SevenBitText`.
    ("HZ", "hz-gb-2312 hz hz-gb2312 csisohzgb2312"),
    // Browsers read Hong Kong's characters with it; the letters of Taiwan are the same.
    ("BIG5-HKSCS", "big5 big5-hkscs cn-big5 csbig5 x-x-big5 x-big5 big5hkscs cp950 big-5"),
    ("EUC-JP-MS", "cseucpkdfmtjapanese euc-jp x-euc-jp eucjp ujis eucjp-ms cp51932"),
    (
      "ISO-2022-JP-2",
      "csiso2022jp iso-2022-jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-ms cp50220 cp50221 cp50222 jis"
    ),
    (
      "CP932",
      "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis cp932 cp943 x-ms-cp932 cswindows31j shiftjis"
    ),
    (
      "CP949",
      "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949 cp949 ms949 uhc euckr x-euc-kr ks_c_5601 ks-c-5601-1987 ksc-5601 ks_c_5601_1987"
    ),
    ("ISO-2022-JP-3", "iso-2022-jp-3"),
    ("JOHAB", "johab cp1361 windows-1361 ms1361"),
    ("ISO-2022-KR", "csiso2022kr iso-2022-kr"),
    ("ISO-2022-CN", "iso-2022-cn"),
    ("ISO-2022-CN-EXT", "iso-2022-cn-ext"),
    ("UTF-16BE", "unicodefffe utf-16be"),
    ("UTF-16LE", "utf-16le unicodefeff"),
    ("UTF-16", "csunicode iso-10646-ucs-2 ucs-2 unicode utf-16 utf16"),
    ("UTF-7", "unicode-1-1-utf-7 utf-7 utf7 csunicode11utf7 unicode-2-0-utf-7"),
  ]

  /// Read as UTF-8, and as Windows-1252 where they are none.
  static let unicode: Set<String> = [
    "", "utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8",
    "utf8mb4", "utf-8n", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "default",
  ]
}
