// swift-tools-version: 6.2
import PackageDescription

// The table of targets. It mirrors the one in docs/ARCHITECTURE.md; `Tests/StructureTests` holds every
// `import` line against it. Imports point downward only.
//
// `THROUGHLINE_ONLY=Routing,WebCodec swift test` builds just those targets, what they use, and their tests.
// `THROUGHLINE_FUZZ=1` adds the libFuzzer targets (see Tests/Fuzz/README.md).

struct Row {
  enum Kind { case library, tool, shim, systemLibrary, test, support, fuzz }
  var kind: Kind
  var name: String
  var uses: [String] = []
  var outside: [Outside] = []
  var resources: [String] = []
  var exclude: [String] = []  // what lies in its folder and is not built
  var system: [String] = []  // libraries that the linker needs
  var pkgConfig: String?  // what a systemLibrary's flags come from
}

enum Outside: String {
  case grdb, yams, httpTypes, argumentParser, logging, deque, histogram
  var product: Target.Dependency {
    switch self {
    case .grdb: .product(name: "GRDB", package: "GRDB.swift")
    case .yams: .product(name: "Yams", package: "Yams")
    case .httpTypes: .product(name: "HTTPTypes", package: "swift-http-types")
    case .argumentParser: .product(name: "ArgumentParser", package: "swift-argument-parser")
    case .logging: .product(name: "Logging", package: "swift-log")
    case .deque: .product(name: "DequeModule", package: "swift-collections")
    case .histogram: .product(name: "Histogram", package: "hdrhistogram-swift")
    }
  }
  var package: Package.Dependency {
    switch self {
    case .grdb: .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0")
    case .yams: .package(url: "https://github.com/jpsim/Yams", from: "6.2.2")
    case .httpTypes:
      .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: [])
    case .argumentParser:
      .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    case .logging: .package(url: "https://github.com/apple/swift-log", from: "1.16.2")
    case .deque: .package(url: "https://github.com/apple/swift-collections", from: "1.6.0")
    case .histogram:
      .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0")
    }
  }
}

let table: [Row] = [
  // Pure: neither Foundation nor Dispatch nor Glibc.
  Row(kind: .library, name: "Model"),
  Row(kind: .library, name: "Wire"),
  Row(kind: .shim, name: "CRE2", system: ["re2"]),
  Row(kind: .library, name: "Expressions", uses: ["CRE2"]),
  Row(kind: .library, name: "Rules", uses: ["Model", "Expressions"]),
  Row(kind: .library, name: "Routing", uses: ["Model", "Wire"]),
  Row(kind: .library, name: "Records", uses: ["Model"]),
  Row(kind: .library, name: "Continuity", uses: ["Model", "Wire", "Records"]),
  Row(kind: .library, name: "Pipeline", uses: ["Routing", "Continuity"], outside: [.deque]),
  Row(kind: .shim, name: "CZlib", system: ["z"]),
  Row(kind: .library, name: "WebCodec", uses: ["Wire", "CZlib"], outside: [.httpTypes]),
  Row(kind: .library, name: "MailCodec", uses: ["Wire"]),
  Row(kind: .library, name: "PhoneCodec", uses: ["Wire"]),

  // The world, each part behind a small face.
  Row(kind: .shim, name: "CPhoneNumber", system: ["phonenumber"]),
  Row(kind: .library, name: "PhoneNumbers", uses: ["CPhoneNumber"]),
  Row(
    kind: .library, name: "RuleFiles", uses: ["Rules", "PhoneNumbers", "WebCodec"], outside: [.yams]
  ),
  Row(kind: .systemLibrary, name: "GMimeLibrary", pkgConfig: "gmime-3.0"),
  Row(kind: .systemLibrary, name: "Xml2Library", pkgConfig: "libxml-2.0"),
  Row(kind: .shim, name: "CGMime", uses: ["GMimeLibrary"]),
  Row(kind: .shim, name: "CXml2", uses: ["Xml2Library"]),
  Row(kind: .library, name: "Mime", uses: ["Model", "Wire", "MailCodec", "CGMime", "CXml2"]),
  Row(kind: .shim, name: "CSystem"),
  Row(kind: .shim, name: "COpenSSL", system: ["crypto"]),
  Row(kind: .library, name: "System", uses: ["CSystem", "COpenSSL"]),
  Row(kind: .shim, name: "CSockets"),
  Row(kind: .shim, name: "CTLS", system: ["ssl", "crypto"]),
  Row(kind: .library, name: "Sockets", uses: ["System", "CSockets", "CTLS"]),
  Row(kind: .shim, name: "CCurl", system: ["curl"]),
  Row(kind: .library, name: "Outbound", uses: ["Sockets", "CCurl"]),
  Row(kind: .library, name: "Store", uses: ["Model", "Records", "System"], outside: [.grdb]),

  // The product
  Row(kind: .shim, name: "CIdn2", system: ["idn2"]),
  Row(
    kind: .library, name: "Channels",
    uses: ["Pipeline", "MailCodec", "PhoneCodec", "Mime", "PhoneNumbers", "System", "CIdn2"]),
  Row(
    kind: .library, name: "Service",
    uses: ["Channels", "Expressions", "Pipeline", "Records", "System", "WebCodec"]),
  Row(
    kind: .library, name: "Server",
    uses: ["RuleFiles", "Service", "Channels", "Outbound", "Store", "Sockets"],
    outside: [.yams, .deque]),
  Row(kind: .library, name: "Simulation", uses: ["Pipeline", "RuleFiles", "System"]),
  Row(
    kind: .tool, name: "throughline",
    uses: ["Server", "Simulation", "RuleFiles", "Mime", "WebCodec", "Sockets", "System"],
    outside: [.argumentParser]),
  Row(kind: .tool, name: "websocket-echo", uses: ["Sockets", "System", "WebCodec"]),

  // Tests
  Row(kind: .support, name: "SessionScripts"),
  Row(kind: .support, name: "Arrivals"),
  Row(kind: .support, name: "PlainReference"),
  Row(kind: .support, name: "StoreInMemory", uses: ["Records"]),
  Row(kind: .test, name: "StructureTests"),
  Row(kind: .test, name: "ModelTests", uses: ["Model"]),
  Row(kind: .test, name: "WireTests", uses: ["Wire", "SessionScripts"]),
  Row(
    kind: .test, name: "ExpressionsTests", uses: ["Expressions", "RuleFiles"],
    resources: ["Conformance"]),
  Row(kind: .test, name: "RulesTests", uses: ["Rules"]),
  Row(
    kind: .test, name: "RuleFilesTests", uses: ["RuleFiles", "PlainReference"],
    resources: ["Golden"]),
  Row(kind: .test, name: "RoutingTests", uses: ["Routing"]),
  Row(kind: .test, name: "ContinuityTests", uses: ["Continuity", "Expressions", "Records"]),
  Row(kind: .test, name: "PipelineTests", uses: ["Pipeline", "Records", "StoreInMemory"]),
  Row(kind: .test, name: "ChannelsTests", uses: ["Channels"]),
  Row(
    kind: .test, name: "ServiceTests",
    uses: ["Service", "Channels", "Store", "MailCodec", "System", "PlainReference"]),
  Row(
    kind: .test, name: "WebCodecTests", uses: ["WebCodec", "Wire", "SessionScripts"],
    resources: ["Sessions"]),
  Row(
    kind: .test, name: "MailCodecTests", uses: ["MailCodec", "SessionScripts"],
    resources: ["Sessions", "Conformance"]),
  Row(
    kind: .test, name: "MimeTests", uses: ["Mime", "MailCodec"],
    resources: ["Conformance", "Threads"]),
  Row(
    kind: .test, name: "PhoneCodecTests", uses: ["PhoneCodec", "SessionScripts"],
    resources: ["Sessions"]),
  Row(kind: .test, name: "PhoneNumbersTests", uses: ["PhoneNumbers"]),
  Row(kind: .test, name: "SystemTests", uses: ["System"]),
  Row(kind: .test, name: "SocketsTests", uses: ["Sockets", "System", "Arrivals"]),
  Row(kind: .test, name: "OutboundTests", uses: ["Outbound", "Sockets", "Arrivals"]),
  Row(kind: .shim, name: "CPowerCut", system: ["sqlite3"]),
  Row(
    kind: .test, name: "StoreTests", uses: ["Store", "Records", "CPowerCut", "StoreInMemory"],
    outside: [.grdb],
    resources: ["Folders"]),
  Row(
    kind: .test, name: "SimulationTests", uses: ["Simulation", "RuleFiles"], resources: ["Models"],
    exclude: ["run"]),
  Row(kind: .test, name: "CrashTests", uses: ["throughline"]),
  Row(
    kind: .test, name: "EndToEndTests",
    uses: ["Server", "throughline", "Records", "Store", "SessionScripts", "PlainReference"],
    outside: [.grdb], resources: ["Peers"]),

  // Fuzzing: see Tests/Fuzz/README.md
  Row(kind: .fuzz, name: "fuzz-http", uses: ["WebCodec"]),
  Row(kind: .fuzz, name: "fuzz-chunked", uses: ["WebCodec"]),
  Row(kind: .fuzz, name: "fuzz-websocket", uses: ["WebCodec"]),
  Row(kind: .fuzz, name: "fuzz-json", uses: ["WebCodec"]),
  Row(kind: .fuzz, name: "fuzz-smtp", uses: ["MailCodec"]),
  Row(kind: .fuzz, name: "fuzz-mime", uses: ["Mime"]),
  Row(kind: .fuzz, name: "fuzz-ownwords", uses: ["MailCodec"]),
  Row(kind: .fuzz, name: "fuzz-fastagi", uses: ["PhoneCodec"]),
  Row(kind: .fuzz, name: "fuzz-expressions", uses: ["Expressions"]),
]

// MARK: - From the table to the package

let fuzzing = Context.environment["THROUGHLINE_FUZZ"] != nil
let only = Set(
  (Context.environment["THROUGHLINE_ONLY"] ?? "").split(separator: ",").map(String.init))

/// The named rows and all that they use.
func closure(of names: [String], in table: [Row]) -> Set<String> {
  let byName = Dictionary(uniqueKeysWithValues: table.map { ($0.name, $0) })
  var found: Set<String> = []
  var open = names
  while let name = open.popLast() {
    if let row = byName[name], found.insert(name).inserted { open += row.uses }
  }
  return found
}

let chosen = table.filter {
  only.isEmpty || only.contains($0.name) || only.contains(String($0.name.dropLast(5)))
}
let wanted = closure(of: chosen.filter { $0.kind != .fuzz || fuzzing }.map(\.name), in: table)
let rows = table.filter { wanted.contains($0.name) }

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
]
/// Whether two accesses overlap is looked at while running wherever the compiler cannot see it: a
/// fifth of a plain request's instructions. Tests and fuzzers, which are built with it, have
/// looked; a release does not.
let unlooked: [SwiftSetting] =
  fuzzing
  ? [] : [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]
let coverage: [SwiftSetting] =
  fuzzing
  ? [.unsafeFlags(["-sanitize=address", "-sanitize-coverage=edge,inline-8bit-counters,pc-table"])]
  : []

func target(_ row: Row) -> Target {
  let uses = row.uses.map { Target.Dependency.target(name: $0) } + row.outside.map(\.product)
  let resources = row.resources.map { Resource.copy($0) }
  let linked = row.system.map { LinkerSetting.linkedLibrary($0) }
  switch row.kind {
  case .library:
    return .target(
      name: row.name, dependencies: uses, resources: resources,
      swiftSettings: strict + coverage + unlooked, linkerSettings: linked)
  case .shim:
    return .target(
      name: row.name, dependencies: uses, path: "Sources/Shims/\(row.name)", linkerSettings: linked)
  case .systemLibrary:
    return .systemLibrary(
      name: row.name, path: "Sources/Shims/\(row.name)", pkgConfig: row.pkgConfig)
  case .tool:
    return .executableTarget(
      name: row.name, dependencies: uses, swiftSettings: strict + coverage, linkerSettings: linked)
  case .support:
    return .target(
      name: row.name, dependencies: uses, path: "Tests/\(row.name)", swiftSettings: strict,
      linkerSettings: linked)
  case .test:
    return .testTarget(
      name: row.name, dependencies: uses, path: "Tests/\(row.name)", exclude: row.exclude,
      resources: resources, swiftSettings: strict,
      linkerSettings: linked)
  case .fuzz:
    return .executableTarget(
      name: row.name, dependencies: uses, path: "Tests/Fuzz/\(row.name)", exclude: ["seeds"],
      swiftSettings: strict + [.unsafeFlags(["-parse-as-library", "-sanitize=fuzzer,address"])],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
  }
}

let package = Package(
  name: "throughline",
  dependencies: Set(rows.flatMap(\.outside)).sorted { $0.rawValue < $1.rawValue }.map(\.package),
  targets: rows.map(target),
  cxxLanguageStandard: .cxx17
)
