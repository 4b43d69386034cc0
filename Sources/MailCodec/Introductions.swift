/// Lines that introduce a quote: `On Mon, 1 Feb 2016 at 18:32, Ann <ann@home.example> wrote:` and
/// its like in the
/// languages of Gmail, Apple Mail, Outlook's phone clients, Thunderbird, Zoho and K-9.
enum Introductions {
  enum Strength { case strong, weak }

  /// "wrote" as mailers say it. A line must hold one as a word of its own.
  static let verbs: [[UInt8]] = [
    "wrote", "writes", "a écrit", "à écrit", "écrivait", "schrieb", "hat geschrieben",
    "geschrieben", "escribió",
    "escribio", "escribiste", "escreveu", "ha scritto", "scrisse", "scritto", "schreef",
    "geschreven", "skrev",
    "skrifaði", "kirjoitti", "napisał", "napisała", "napisał(a)", "pisze", "napsal", "napsal(a)",
    "napísal",
    "napísal(a)", "írta", "написал", "написал(а)", "написала", "пишет", "пише", "написав",
    "написала(в)", "написа", "yazdı",
    "şunu yazdı", "a scris", "va escriure", "έγραψε", "ha escrit", "đã viết", "menulis", "napisao",
    "je napisao",
    "je napisal", "写道", "寫道", "写", "のメール", "書きました", "作成", "님이 작성", "작성", "כתב", "كتب",
    "rakstīja", "rašė", "kirjutas",
  ].map { Array($0.utf8) }

  private static let verbsByFirst: [[[UInt8]]] = (0..<256).map { first in
    verbs.filter { $0.first.map(Int.init) == first }
  }

  /// Words with which a wrapped introduction starts.
  static let starters: Set<String> = [
    "on", "le", "am", "el", "il", "em", "op", "den", "dnia", "w", "a", "på", "el", "de", "em",
    "dne", "dňa", "ngày",
    "в", "on:", "la", "στις", "vào", "pada", "în", "sept.", "mon", "tue", "wed", "thu", "fri",
    "sat", "sun", "monday",
    "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "montag", "dienstag",
    "mittwoch", "donnerstag",
    "freitag", "samstag", "sonntag", "lun", "lundi", "mardi", "mercredi", "jeudi", "vendredi",
    "samedi", "dimanche",
    "dana", "dne.", "ons", "tors", "fre", "man", "tir", "lør", "søn", "op:", "kl.", "at", "----",
    "-----",
  ]

  /// Whether a line may be the first of a wrapped introduction: it names a day.
  static func opens(_ line: ArraySlice<UInt8>) -> Bool {
    guard line.contains(where: isDigit) else { return false }
    // `Ann <ann@home.example> schrieb am Fr., 28.` goes on in the next line.
    if line.contains(64), line.contains(60), verbEnd(plainSpaces(line)) != nil { return true }
    if let first = line.first, isDigit(first) { return date(line) }
    let word = line.prefix(24).split(whereSeparator: { $0 == 32 || $0 == 44 }).first ?? []
    if starters.contains(String(decoding: word, as: UTF8.self).lowercased()) { return true }
    return line.starts(with: "在".utf8)
  }

  /// Judges one line, or several joined by spaces. Strong ones stand alone; weak ones need a quote
  /// after them.
  static func judge(_ whole: ArraySlice<UInt8>) -> Strength? {
    // Most lines end here: no figure and no address means no introduction.
    guard whole.contains(where: { isDigit($0) || $0 == 64 }) else { return nil }
    var line = plainSpaces(whole)
    while let last = line.last, last == 45 || last == 32 || last == 42 { line = line.dropLast() }
    let dashed =
      whole.suffix(3).elementsEqual([45, 45, 45])
      || whole.suffix(4).elementsEqual([45, 45, 45, 45])
    while let first = line.first, first == 45 || first == 32 || first == 42 {
      line = line.dropFirst()
    }
    guard line.count >= 8, line.count <= 700 else { return nil }
    let colon = line.last == 58 || line.ends(with: "：")
    let hasTime = time(line)
    let hasDate = date(line)
    let hasAddress = line.contains(64)
    guard hasTime || hasDate || hasAddress else { return nil }
    if let verb = verbEnd(line) {
      let atEnd =
        verb.allSatisfy { $0 == 58 || $0 == 32 || $0 == 46 } || verb.elementsEqual("：".utf8)
      guard colon || dashed || (atEnd && opens(line)) else { return nil }
      // `On 3 May at the shop I wrote:` has neither a time nor an address: it needs its quote.
      let intoQuote = hasAddress || hasTime
      if hasAddress && !hasDate && !hasTime { return atEnd && line.contains(60) ? .strong : .weak }
      return intoQuote ? .strong : .weak
    }
    // Gmail in some languages has no verb: `2016-03-03 17:21 GMT+01:00 Ann <ann@x>:`
    guard let first = line.first, isDigit(first), hasDate else { return nil }
    if contains(line, "GMT") && hasTime { return .strong }
    if hasAddress, colon || line.last == 62 { return hasTime && colon ? .strong : .weak }
    return nil
  }

  // MARK: - Evidence

  /// French and newer Gmail put no-break spaces (U+00A0, U+202F) where others put spaces.
  private static func plainSpaces(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard line.contains(where: { $0 == 0xA0 || $0 == 0xAF }) else { return line }
    var out: [UInt8] = []
    for byte in line {
      out.append(byte)
      if byte == 0xA0, out.suffix(2).elementsEqual([0xC2, 0xA0]) {
        out.removeLast(2)
        out.append(32)
      } else if byte == 0xAF, out.suffix(3).elementsEqual([0xE2, 0x80, 0xAF]) {
        out.removeLast(3)
        out.append(32)
      }
    }
    return out[...]
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

  /// What follows the last verb of the line; nil when there is none.
  private static func verbEnd(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var best: Int?
    for start in line.indices
    where start == line.startIndex || !isWordByte(line[start - 1]) || line[start] >= 0xE0
      || line[start - 1] == 62
    {
      let rest = line[start...]
      for verb in verbsByFirst[Int(line[start])] where rest.starts(with: verb) {
        let end = start + verb.count
        let joined = end < line.endIndex && isWordByte(line[end]) && verb[0] < 0xE0
        if !joined { best = max(best ?? 0, end) }
      }
    }
    // `<info@x.org>wrote:`: the verb may be glued to what is before it.
    return best.map { line[$0...] }
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 32 >= 97 && byte | 32 <= 122) || byte >= 128
  }

  /// `18:32`, `18h32`, `20.42`, `8：45`.
  private static func time(_ line: ArraySlice<UInt8>) -> Bool {
    for index in line.indices
    where line[index] == 58 || line[index] == 46 || line[index] == 104 || line[index] == 0xEF {
      var after = index + 1
      if line[index] == 0xEF { after = index + 3 }
      guard index > line.startIndex, isDigit(line[index - 1]), after + 1 < line.endIndex,
        isDigit(line[after]),
        isDigit(line[after + 1])
      else { continue }
      if after + 2 < line.endIndex, isDigit(line[after + 2]) { continue }
      return true
    }
    return false
  }

  /// A year, or day and month in figures.
  private static func date(_ line: ArraySlice<UInt8>) -> Bool {
    var run: [UInt8] = []
    var last: UInt8 = 0
    var groups = 0
    for index in line.startIndex...line.endIndex {
      let byte = index < line.endIndex ? line[index] : 0
      if isDigit(byte) {
        run.append(byte)
        continue
      }
      if run.count == 4, run.starts(with: [49, 57]) || run.starts(with: [50, 48]) { return true }
      if !run.isEmpty, run.count <= 2 {
        groups = last == 47 || last == 46 || last == 45 ? groups + 1 : 1
        if groups >= 3 { return true }
      } else if !run.isEmpty {
        groups = 0
      }
      if !run.isEmpty { last = byte } else if byte != last { groups = 0 }
      run = []
    }
    return false
  }

  private static func contains(_ line: ArraySlice<UInt8>, _ word: StaticString) -> Bool {
    let wanted = Array(word.description.utf8)
    guard line.count >= wanted.count else { return false }
    return line.indices.dropLast(wanted.count - 1).contains { line[$0...].starts(with: wanted) }
  }
}

extension ArraySlice<UInt8> {
  func ends(with text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
