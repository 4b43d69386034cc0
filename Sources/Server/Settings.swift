import Expressions
import Foundation
import Outbound
import PhoneCodec
import Store
import Yams

/// The server's own configuration: one YAML file, each key also an environment variable, the
/// important ones a flag. Later in that list wins. One table declares them all, and the
/// documentation is printed from it.
public struct Settings: Sendable, Equatable {
  public var data = "throughline-data"
  public var rules = "routing-rules"
  public var httpListen = "127.0.0.1:8080"
  public var httpsListen = "off"
  public var hstsSeconds = 0
  public var tlsCertificates = ""
  public var tlsMinimum = "1.2"
  public var tlsHandshakeSeconds = 10
  public var smtpListen = "127.0.0.1:2525"
  public var lmtpListen = "127.0.0.1:2424"
  public var fastagiListen = "127.0.0.1:4573"
  public var fastagiSecret = ""
  public var smarthostURL = ""
  public var smarthostUser = ""
  public var smarthostPassword = ""
  public var outboxRetrySeconds = 30
  public var outboxToldSeconds = 14_400
  public var outboxGivenUpSeconds = 432_000
  public var mailHostname = "localhost"
  public var mailBytesMax = 25 << 20
  public var mailHeldBytesMax = 256 << 20
  public var blobBytesMax = 25 << 20
  public var bodyBytesMax = 1 << 20
  public var heldBytesMax = 512 << 20
  public var connectionsPerAddressMax = 1_000
  public var headSeconds = 10
  public var bodySeconds = 30
  public var idleSeconds = 75
  public var origins = ""
  public var pingSeconds = 30
  public var headBytesMax = 32_768
  public var fieldBytesMax = 8_192
  public var fieldsMax = 100
  public var requestLineBytesMax = 8_192
  public var firstByteSeconds = 30
  public var requestsPerConnectionMax = 100_000
  public var httpUnsentBytesMax = 33 << 20
  public var httpStallSeconds = 30
  public var connectionsMax = 0
  public var descriptorReserve = 512
  public var slowReaderSeconds = 20
  public var unsentBytesMax = 4 << 20
  public var contextBytesMax = 32 << 20
  public var drainSeconds = 10
  public var lanes = 0

  public init() {}

  public struct Key: Sendable {
    /// Dotted path in the file; the environment variable is `THROUGHLINE_` and the path in capitals
    /// with `_`.
    public var path: String
    public var help: String
    var set: @Sendable (inout Settings, String) -> String?
    var get: @Sendable (Settings) -> String
    public var environment: String {
      "THROUGHLINE_" + path.uppercased().replacingOccurrences(of: ".", with: "_")
    }
    /// The important ones have a flag, named by the first word of the path.
    var flag: String { "--" + path.prefix { $0 != "." } }
  }

  /// - Parameters:
  ///   - isNeeded: whether it wants a value.
  ///   - fault: what is wrong with a value, for behind the key; not asked of an empty one.
  private static func text(
    _ path: String, _ field: any WritableKeyPath<Settings, String> & Sendable, _ help: String,
    isNeeded: Bool = false, fault: @escaping @Sendable (String) -> String? = { _ in nil }
  ) -> Key {
    Key(path: path, help: help) { settings, value in
      if value.isEmpty {
        if isNeeded { return "wants a value" }
      } else if let fault = fault(value) {
        return fault
      }
      settings[keyPath: field] = value
      return nil
    } get: {
      $0[keyPath: field]
    }
  }

  private static func fault(inSecret secret: String) -> String? {
    var keyring = AGIKeyring()
    do throws(AGIKeyring.Refusal) {
      try keyring.add(phoneSystem: "fastagi.secret", secret: secret)
      return nil
    } catch {
      return "is no secret: \(error.sentence)"
    }
  }

  private static func listen(
    _ path: String, _ field: any WritableKeyPath<Settings, String> & Sendable, _ help: String
  ) -> Key {
    Key(path: path, help: help + " (address:port, or \"off\")") { settings, value in
      if value != "off", Settings.address(value) == nil {
        return "is not an address and port such as 127.0.0.1:8080: \(value)"
      }
      settings[keyPath: field] = value
      return nil
    } get: {
      $0[keyPath: field]
    }
  }

  private static func choice(
    _ path: String, _ field: any WritableKeyPath<Settings, String> & Sendable, _ values: [String],
    _ help: String
  ) -> Key {
    Key(path: path, help: "\(help) (\(values.joined(separator: " or ")))") { settings, value in
      guard values.contains(value) else {
        return "is not \(values.joined(separator: " or ")): \(value)"
      }
      settings[keyPath: field] = value
      return nil
    } get: {
      $0[keyPath: field]
    }
  }

  private static func number(
    _ path: String, _ field: any WritableKeyPath<Settings, Int> & Sendable,
    _ range: ClosedRange<Int>,
    _ help: String
  ) -> Key {
    Key(path: path, help: "\(help) (\(range.lowerBound) to \(range.upperBound))") {
      settings, value in
      guard let n = Int(value), range.contains(n) else {
        return "is not a whole number from \(range.lowerBound) to \(range.upperBound): \(value)"
      }
      settings[keyPath: field] = n
      return nil
    } get: {
      String($0[keyPath: field])
    }
  }

  public static let keys: [Key] = [
    text("data", \.data, "the data folder, held by one server at a time", isNeeded: true),
    text(
      "rules", \.rules, "the folder with one folder of routing rules a workspace", isNeeded: true),
    listen("http.listen", \.httpListen, "the HTTP API and WebSockets"),
    listen("https.listen", \.httpsListen, "the same under TLS; wants tls.certificates"),
    number(
      "https.hsts_seconds", \.hstsSeconds, 0...63_072_000,
      "how long browsers that were here come to this host name by HTTPS alone, on every port; 0: as they like"
    ),
    text(
      "tls.certificates", \.tlsCertificates,
      "PEM files for HTTPS and STARTTLS, each as chain:key, separated by commas; the first serves whoever names no host"
    ),
    choice(
      "tls.minimum", \.tlsMinimum, ["1.2", "1.3"], "the oldest version of TLS that is spoken"),
    number(
      "tls.handshake_seconds", \.tlsHandshakeSeconds, 1...600, "how long a TLS handshake may take"),
    listen("smtp.listen", \.smtpListen, "incoming mail over SMTP"),
    listen("lmtp.listen", \.lmtpListen, "incoming mail over LMTP"),
    listen("fastagi.listen", \.fastagiListen, "calls from Asterisk"),
    text(
      "fastagi.secret", \.fastagiSecret,
      "what the dialplan passes first; empty: the data folder's own", fault: fault(inSecret:)),
    text(
      "smarthost.url", \.smarthostURL,
      "where mail leaves, such as smtp://127.0.0.1:25; empty: it stays",
      fault: MailSubmission.fault(inSmarthost:)),
    text("smarthost.user", \.smarthostUser, "name for the smarthost"),
    text("smarthost.password", \.smarthostPassword, "password for the smarthost"),
    number(
      "outbox.retry_seconds", \.outboxRetrySeconds, 1...3_600,
      "first wait before mail is tried again"),
    number(
      "outbox.told_seconds", \.outboxToldSeconds, 1...604_800,
      "how long an answer waits for the smarthost before its agent is told"),
    number(
      "outbox.given_up_seconds", \.outboxGivenUpSeconds, 1...2_592_000,
      "how long an answer waits that cannot be put together, such as for a damaged attachment"),
    text(
      "mail.hostname", \.mailHostname, "the name that SMTP greets with", isNeeded: true,
      fault: { MailSubmission.isName($0) ? nil : "is no host name: \($0)" }),
    number("mail.bytes_max", \.mailBytesMax, 1_024...(256 << 20), "largest mail, in bytes"),
    number(
      "mail.held_bytes_max", \.mailHeldBytesMax, (1 << 20)...(1 << 40),
      "mail of more than 64 KiB that is held for all senders together, in bytes; never less than the largest may have"
    ),
    number(
      "blob.bytes_max", \.blobBytesMax, 1_024...BlobFiles.sizeMax, "largest attachment, in bytes"),
    number(
      "http.body_bytes_max", \.bodyBytesMax, 1_024...(64 << 20), "largest request body, in bytes"),
    number(
      "http.held_bytes_max", \.heldBytesMax, (1 << 20)...(1 << 40),
      "content of more than 64 KiB that is held for all requests together, in bytes; never less than the largest may have"
    ),
    number(
      "http.connections_per_address_max", \.connectionsPerAddressMax, 1...1_000_000,
      "connections from one address to each listener"),
    number(
      "http.head_seconds", \.headSeconds, 1...600,
      "how long a request's head, or a stream's token, may take to come"),
    number(
      "http.body_seconds", \.bodySeconds, 1...600, "how long a request's body may stand still"),
    number(
      "http.idle_seconds", \.idleSeconds, 1...86_400,
      "how long a connection lives without a request"),
    text(
      "http.origins", \.origins,
      "web pages that may open streams, such as https://desk.example, comma-separated"),
    number(
      "stream.ping_seconds", \.pingSeconds, 1...3_600,
      "how long a stream may be silent before it is asked, and then may take to answer"),
    number(
      "http.head_bytes_max", \.headBytesMax, 1_024...(1 << 20),
      "largest head of a request beside its first line, in bytes"),
    number(
      "http.field_bytes_max", \.fieldBytesMax, 1_024...(1 << 20),
      "longest field line of a head, in bytes"),
    number("http.fields_max", \.fieldsMax, 16...10_000, "field lines of a head"),
    number(
      "http.request_line_bytes_max", \.requestLineBytesMax, 1_024...(1 << 20),
      "longest first line of a request, in bytes"),
    number(
      "http.first_byte_seconds", \.firstByteSeconds, 1...3_600,
      "how long a new connection may say nothing"),
    number(
      "http.requests_per_connection_max", \.requestsPerConnectionMax, 1...1_000_000_000,
      "requests after which a connection is closed, so that a balancer can move it"),
    number(
      "http.unsent_bytes_max", \.httpUnsentBytesMax, 65_536...(1 << 30),
      "what a client may have left unread when more is written, in bytes; never less than 320 KiB"
    ),
    number(
      "http.stall_seconds", \.httpStallSeconds, 1...3_600,
      "how long a client may take nothing of an answer"),
    number(
      "connections_max", \.connectionsMax, 0...1_000_000,
      "connections in all, administration aside; 0: the descriptors there are, less the reserve"),
    number(
      "descriptor_reserve", \.descriptorReserve, 16...100_000,
      "descriptors kept for the store, outgoing calls and administration, at most a quarter of all"),
    number(
      "stream.slow_reader_seconds", \.slowReaderSeconds, 1...3_600,
      "how long a stream may leave what it was sent unread"),
    number(
      "stream.unsent_bytes_max", \.unsentBytesMax, 65_536...(256 << 20),
      "what may be unread on a stream, in bytes"),
    number(
      "stream.context_bytes_max", \.contextBytesMax, 0...(1 << 32),
      "memory for what all streams' compression remembers; past it new streams' remembers nothing"),
    number("drain_seconds", \.drainSeconds, 0...600, "how long a stop waits for what is in flight"),
    number("lanes", \.lanes, 0...64, "event loops; 0: one a core"),
  ]

  /// The largest content that a request may have.
  var contentBytesMax: Int { max(bodyBytesMax, blobBytesMax, HTTPConnection.Limit.rulesBytesMax) }

  /// `http.origins` as a browser writes them.
  var allowedOrigins: [String] {
    origins.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
      .filter { !$0.isEmpty }
  }

  /// A host and port; the host is a literal address, since names would block.
  public static func address(_ text: String) -> (host: String, port: UInt16)? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else {
      return nil
    }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    return host.isEmpty ? nil : (host, port)
  }

  /// All faults at once, each a sentence with its place.
  public struct Faults: Error, CustomStringConvertible {
    public var sentences: [String]
    public var description: String { sentences.joined(separator: "\n") }
  }

  /// - Parameters:
  ///   - flags: path to value, from the command line.
  public static func load(
    file: String?, environment: [String: String], flags: [(path: String, value: String)]
  ) throws -> Settings {
    var settings = Settings()
    var faults: [String] = []
    if let file { read(file, into: &settings, &faults) }
    for name in environment.keys.sorted()
    where name.hasPrefix("THROUGHLINE_") && !reserved.contains(name) {
      guard let key = keys.first(where: { $0.environment == name }) else {
        faults.append("\(name): unknown setting\(hint(name, keys.map(\.environment)))")
        continue
      }
      if let fault = key.set(&settings, environment[name] ?? "") {
        faults.append("\(name) \(fault)")
      }
    }
    for (path, value) in flags {
      guard let key = keys.first(where: { $0.path == path }) else { continue }
      if let fault = key.set(&settings, value) { faults.append("\(key.flag) \(fault)") }
    }
    if !faults.isEmpty { throw Faults(sentences: faults) }
    return settings
  }

  /// Variables that are no settings: they steer the build and the tests.
  private static let reserved: Set<String> = [
    "THROUGHLINE_ONLY", "THROUGHLINE_FUZZ", "THROUGHLINE_TOKEN",
  ]

  private static func read(_ file: String, into settings: inout Settings, _ faults: inout [String])
  {
    guard let bytes = FileManager.default.contents(atPath: file) else {
      return faults.append("\(file): cannot be read")
    }
    guard bytes.count <= 1 << 20 else { return faults.append("\(file): larger than 1 MiB") }
    let node: Node?
    do {
      node = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self))
    } catch {
      return faults.append("\(file): \(error)")
    }
    if let node { walk(node, path: "", file, &settings, &faults) }
  }

  private static func walk(
    _ node: Node, path: String, _ file: String, _ settings: inout Settings, _ faults: inout [String]
  ) {
    func place(_ node: Node) -> String {
      node.mark.map { "\(file):\($0.line):\($0.column)" } ?? file
    }
    guard case .mapping(let mapping) = node else {
      return faults.append("\(place(node)): expected keys with values")
    }
    for (name, value) in mapping {
      let full = path.isEmpty ? (name.string ?? "") : path + "." + (name.string ?? "")
      if let key = keys.first(where: { $0.path == full }) {
        guard let text = value.scalar?.string else {
          faults.append("\(place(value)): \(full) wants one value")
          continue
        }
        if let fault = key.set(&settings, text) {
          faults.append("\(place(value)): \(full) \(fault)")
        }
      } else if keys.contains(where: { $0.path.hasPrefix(full + ".") }) {
        walk(value, path: full, file, &settings, &faults)
      } else {
        faults.append("\(place(name)): unknown key \"\(full)\"\(hint(full, names))")
      }
    }
  }

  /// `; did you mean "…"?` where something known is near enough, else nothing.
  public static func hint(_ name: String, _ known: [String]) -> String {
    Spelling.nearest(name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
  }

  /// Every key, and every section that keys stand in.
  private static let names: [String] = {
    var names: [String] = []
    for key in keys {
      let parts = key.path.split(separator: ".")
      for count in 1...parts.count {
        let name = parts.prefix(count).joined(separator: ".")
        if !names.contains(name) { names.append(name) }
      }
    }
    return names
  }()

  /// The table as text, for `throughline serve --help-settings` and the documentation.
  public static var table: String {
    let standard = Settings()
    return keys.map { key in
      "\(key.path)\n    \(key.help)\n    environment: \(key.environment), default: \(key.get(standard))"
    }.joined(separator: "\n")
  }
}
