import Foundation
import RuleFiles
import Service
import WebCodec

/// The timelines that an address leads to, as a person reads them.
public enum TimelineText {
  /// - Parameter whom: what was asked for, such as an address.
  public static func render(_ json: Data, of whom: String) throws -> String {
    let answer = try JSONValue(parsing: Array(json))
    guard let customers = answer["customers"]?.array else {
      throw AdminClient.Fault("this is no timeline")
    }
    var parts = try customers.map { try render($0, whom) }
    if customers.count > 1 {
      let proven = customers.count { $0["assurance"]?.string != "claimed" }
      let how = proven == 0 ? "none is proven" : "\(proven) of them proven"
      let isPart = answer["more"]?.bool == true
      let count = isPart ? "More than \(customers.count)" : "\(customers.count)"
      let which = isPart ? " The first \(customers.count), the proven before the others:" : ""
      parts.insert(
        PlainText.line("\(count) customers are or claim to be \(whom); \(how).\(which)"), at: 0)
    }
    return parts.joined(separator: "\n\n")
  }

  private static func render(_ customer: JSONValue, _ whom: String) throws -> String {
    guard let page = customer["timeline"], let entries = page["entries"]?.array else {
      throw AdminClient.Fault("this is no timeline")
    }
    let name = customer["name"]?.string.map { ", \($0)" } ?? ""
    let sources = (customer["said_by"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
    let how: String
    switch customer["assurance"]?.string {
    case "claimed": how = ": claims to be \(whom) (\(sources)); not proven"
    case let proven?: how = ": is \(whom), \(proven) by \(sources)"
    case nil: how = ""
    }
    var lines = customer["customer"]?.string.map { [PlainText.line("\($0)\(name)\(how)")] } ?? []
    lines += entries.map { line in
      let entry = line["entry"].flatMap { $0 == .null ? nil : $0 }
      if let number = line["damaged"]?.int { return EntryText(damaged: "\(number)").line }
      return EntryText(entry, at: nil).line
    }
    let count = page["count"]?.int.map { Int($0) } ?? entries.count
    let hash = (page["hash"]?.string ?? "").prefix(16)
    let shown = entries.count < count ? ", the last \(entries.count) of them above" : ""
    lines.append("\(count) entries\(shown), hash \(hash)…")
    return lines.joined(separator: "\n")
  }
}

/// The reasons of a routing decision, as a person reads them.
public enum ExplanationText {
  public static func render(_ json: Data) throws -> String {
    guard let page = try JSONSerialization.jsonObject(with: json) as? [String: Any] else {
      throw AdminClient.Fault("this is no explanation")
    }
    let then = page["at"].map { "At \($0): " } ?? ""
    if page["case"] == nil {
      let lines = agent(page)
      return text([then + lines[0]] + lines.dropFirst())
    }
    let why = page["why"] as? [String: Any] ?? [:]
    // To whom it is offered has it not yet, and of several none has it more than the others.
    let holder = page["state"] as? String == "offered" ? nil : page["agent"] as? String
    var lines = [
      then + "\(page["case"] ?? "") is \(page["state"] ?? "") in queue \(page["queue"] ?? "")"
        + (holder.map { ", with \($0)" } ?? ""),
      "It came by \(page["cause"] ?? "") \(sender(page["cause"] as? String, why)), "
        + "priority \(why["priority"] ?? "").",
    ]
    for step in why["story"] as? [[String: Any]] ?? [] { lines.append("  " + story(step)) }
    // Foundation's reader has numbers for true and false, and rules are written with the words.
    if case .object(let facts)? = try JSONValue(parsing: Array(json))["facts"],
      !facts.members.isEmpty
    {
      lines.append("The rule saw:")
      let gaps = facts[FactsFile.gapsKey]
      let known = JSONObject(facts.members.filter { $0.name != FactsFile.gapsKey })
      lines += flat(known, "").map { "  " + $0 }
      for (gap, what) in [
        (FactsFile.Gap.notAsked, "No rule asked for"),
        (.notKept, "Too large to be kept, or too deep:"),
      ] {
        let names = gaps?[gap.rawValue]?.array?.map(word) ?? []
        if !names.isEmpty { lines.append("\(what) \(names.joined(separator: ", ")).") }
      }
    }
    if let now = page["now"] as? [String: Any] { lines += waiting(now, page["state"] as? String) }
    return text(lines)
  }

  private static func text(_ lines: [String]) -> String {
    lines.map(PlainText.line).joined(separator: "\n")
  }

  /// Which rule sent a case to its queue, or what did where none was asked.
  private static func sender(_ cause: String?, _ why: [String: Any]) -> String {
    let version = "version \(why["rule_version"] ?? "")"
    let number = (why["rule"] as? Int).map { "\($0 + 1)" }
    if let rule = (why["rule_name"] as? String).map({ "\"\($0)\"" }) ?? number {
      return "and rule \(rule) of \(version) sent it here"
    }
    let what =
      cause == "bot_silent" ? "since its bot left the customer without an answer" : "by hand"
    return "\(what), by no rule of \(version)"
  }

  /// `session.channel = chat`, a line a fact.
  private static func flat(_ object: JSONObject, _ path: String) -> [String] {
    object.members.sorted { $0.name < $1.name }.flatMap { member -> [String] in
      let name = path.isEmpty ? member.name : "\(path).\(member.name)"
      switch member.value {
      case .object(let inner): return flat(inner, name)
      case .array(let list):
        return list.isEmpty ? [] : ["\(name) = \(list.map(word).joined(separator: ", "))"]
      default: return ["\(name) = \(word(member.value))"]
      }
    }
  }

  private static func word(_ value: JSONValue) -> String {
    value.string ?? String(decoding: value.encoded, as: UTF8.self)
  }

  private static func story(_ step: [String: Any]) -> String {
    let at = (step["at"] as? String ?? "").prefix(19).replacingOccurrences(of: "T", with: " ")
    let what = (step["what"] as? String ?? "").replacingOccurrences(of: "_", with: " ")
    var text = "\(at)  \(what)"
    if let number = step["step"] as? Int { text = "\(at)  step \(number) taken" }
    if let agent = step["agent"] as? String {
      switch what {
      case "offered": text += " to \(agent)"
      // By accepting it, or put into their hands by a supervisor.
      case "accepted": text = "\(at)  with \(agent) from now on"
      case "consulted": text = "\(at)  \(agent) is asked for advice"
      case "revoked": text += " from \(agent)"
      case "failed", "timed out": text += " at \(agent)"
      default: text += " by \(agent)"
      }
    }
    if let why = step["why"] as? String {
      text += " (\(why.replacingOccurrences(of: "_", with: " ")))"
    }
    if let passed = step["passed_over"] as? [String: Any], !passed.isEmpty {
      text += "; passed over: \(counts(passed))"
    }
    return text
  }

  private static func agent(_ page: [String: Any]) -> [String] {
    let cases = page["cases"] as? [String] ?? []
    let ready = page["ready_for"] as? [String] ?? []
    let plain = (page["counts_as"] as? String).map { "which counts as \($0)" }
    let said = [plain, page["reason"] as? String].compactMap { $0 }.joined(separator: "; ")
    let why = said.isEmpty ? "" : " (\(said))"
    var lines = [
      "\(page["agent"] ?? "") is \(page["status"] ?? "")\(why) with \(cases.count) cases: "
        + "\(page["capacity_used"] ?? 0) of \(page["capacity"] ?? 0) units"
    ]
    if let hindrance = page["hindered_by"] as? String {
      lines.append(idleness(hindrance, page))
    } else {
      lines.append(
        "Ready for \(ready.joined(separator: ", ")), idle since \(page["idle_since"] ?? "").")
    }
    let channels = page["channel_statuses"] as? [String: [String: Any]] ?? [:]
    for (channel, said) in channels.sorted(by: { $0.key < $1.key }) {
      let why = (said["reason"] as? String).map { " (\($0))" } ?? ""
      lines.append("On \(channel) alone: \(said["status"] ?? "")\(why).")
    }
    let passed = page["passed_over_by"] as? [String: Any] ?? [:]
    lines.append(
      "\(page["waiting_in_queues"] ?? 0) cases wait in their queues"
        + (passed.isEmpty ? "." : "; why not theirs: \(counts(passed))."))
    if let beside = page["beside_others"] {
      lines.append("They would be asked about \(beside) that others were offered, too.")
    }
    return lines
  }

  private static func idleness(_ hindrance: String, _ page: [String: Any]) -> String {
    if let offered = page["offered_case"] {
      return "\(offered) is offered to them, and nothing else until that is settled."
    }
    var why = hindrance.replacingOccurrences(of: "_", with: " ")
    // Whose status says that they are available may not be, in three ways.
    if hindrance == "not_available", (page["counts_as"] ?? page["status"]) as? String == "available"
    {
      if page["responding"] as? Bool == false {
        why = "an offer was missed, and they have not said since that they are available"
      } else if let then = page["then"] {
        why = "they finish, and are \(then) once their last case has ended"
      } else {
        let said = page["channel_statuses"] as? [String: Any] ?? [:]
        why =
          said.isEmpty
          ? "they chose no channel that their status takes"
          : "on each channel that their status takes they are something else, or chose not to be asked"
      }
    }
    return "Nothing is offered: \(why)."
  }

  private static func counts(_ counts: [String: Any]) -> String {
    counts.keys.sorted().map { "\(counts[$0] ?? 0) \($0.replacingOccurrences(of: "_", with: " "))" }
      .joined(separator: ", ")
  }

  /// Of `WaitEstimate.json`.
  private static func turn(_ wait: [String: Any]) -> String {
    if let why = wait["unknown"] as? String {
      return "When its turn comes is unknown: \(why.replacingOccurrences(of: "_", with: " "))."
    }
    func part(_ name: String) -> Int { wait[name] as? Int ?? 0 }
    return part("to_seconds") == 0
      ? "Its turn has come."
      : "Its turn comes in about \(part("seconds")) s; in eight of ten cases in "
        + "\(part("from_seconds")) to \(part("to_seconds")) s."
  }

  private static func waiting(_ now: [String: Any], _ state: String?) -> [String] {
    var lines: [String] = []
    if let seconds = now["waited_seconds"] {
      var line: String
      if let ahead = now["ahead"] {
        line = "It has waited \(seconds) s; \(ahead) cases stand before it."
      } else if let offered = now["offered_to"] as? [String] {
        line = "It has waited \(seconds) s and is offered to \(offered.joined(separator: ", "))."
      } else {
        line = "It waited \(seconds) s until somebody took it."
      }
      if let hands = now["in_hands_seconds"] { line += " Agents had it for \(hands) s meanwhile." }
      lines.append(line)
    }
    if let wait = now["estimated_wait"] as? [String: Any] { lines.append(turn(wait)) }
    if let before = now["queues_before"] as? [String], !before.isEmpty {
      let rule = now["between_queues"] as? String == "by_weight" ? "weights" : "slopes"
      lines.append("By the queues' \(rule) come before it: \(before.joined(separator: ", ")).")
    }
    // Nobody has to change anything for a case that somebody has, nor could anybody else take it.
    guard state == "waiting" || state == "offered" else { return lines + nextStep(now) }
    var passed = now["passed_over"] as? [String: Any] ?? [:]
    let couldHave = passed.removeValue(forKey: "longer_idle_first")
    if !passed.isEmpty { lines.append("Agents who cannot take it now: \(counts(passed)).") }
    if let couldHave {
      lines.append("\(couldHave) could have had it, too, and others went before them.")
    }
    if let near = now["one_change_away"] as? [String: Any], !near.isEmpty {
      lines.append("One change would do for: \(counts(near)).")
    }
    if let nearest = now["nearest"] as? [String: Any],
      let ways = nearest["ways"] as? [[String: Any]]
    {
      let told = ways.map { way in
        let reasons = (way["reasons"] as? [String] ?? []).map {
          $0.replacingOccurrences(of: "_", with: " ")
        }
        return "\(way["agents"] ?? 0) (\(reasons.joined(separator: ", ")))"
      }
      lines.append(
        "Nobody is one change away; \(nearest["changes"] ?? 0) would do for: "
          + "\(told.joined(separator: "; ")).")
    }
    return lines + nextStep(now)
  }

  private static func nextStep(_ now: [String: Any]) -> [String] {
    (now["next_change"] as? String).map { ["The next step comes at \($0)."] } ?? []
  }
}
