import Foundation
import GRDB
import Model
import Records
import Store
import Testing

@testable import Server

/// `throughline restore` and `backup`, as whoever runs a server types them.
@Suite(.inTurn) struct RestoreTests {
  /// Every file below the folder that holds the text, but for what was moved aside.
  private func holders(of text: String, in folder: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder).filter { path in
      !path.hasPrefix("replaced-")
        && FileManager.default.contents(atPath: "\(folder)/\(path)")?.range(of: Data(text.utf8))
          != nil
    }
  }

  /// A stopped server's folder: Hildegard was erased and a pin taken out since the backup.
  private func folder(_ body: @Sendable (_ data: String, _ backup: String) async throws -> Void)
    async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let gone = try await server.open(bot, email: "Hildegard@home.example")
      try await gone.customer("I am Hildegard")
      let stays = try await server.open(bot, email: "jo@home.example")
      try await stays.customer("my pin is Zylophon4711")
      let backup = server.folder.path + "/backup"
      #expect(
        try await server.administer("POST", "/admin/backup", ["to": .text(backup)]).status == 200)
      #expect(
        try await server.administer("POST", "/admin/erase", ["identity": "Hildegard@home.example"])
          .status == 200)
      let said = try #require(
        try await server.timeline(stays.customer).said.first { $0["text"].string != nil })
      let ann = try await server.token("agent", "ann")
      #expect(
        try await server.call(
          "POST", "/v1/entries/\(said["entry"].int ?? 0)/redact", ["words": "Zylophon4711"],
          by: ann
        ).status == 201)
      try await eventually("they are in no file") {
        try self.holders(of: "Zylophon4711", in: server.settings.data).isEmpty
      }
      await server.stop()
      try await body(server.settings.data, backup)
    }
  }

  private func restore(_ backup: String, _ data: String, _ more: [String] = []) async throws -> (
    status: Int32, lines: [String]
  ) {
    try await Peer.run(try Binary.path, ["restore", backup, "--data", data] + more)
  }

  /// Killed as soon as a file stands there that it makes on its way.
  @Test(arguments: [
    "restoring", "restoring/throughline.sqlite", "restoring/search.sqlite", "RESTORING", "replaced",
  ])
  func `killed at any moment it brings nobody and nothing back, and another one finishes it`(
    _ sign: String
  ) async throws {
    try await folder { data, backup in
      let peer = try Peer(try Binary.path, ["restore", backup, "--data", data])
      while peer.status == nil {
        let isThere =
          sign == "replaced"
          ? try FileManager.default.contentsOfDirectory(atPath: data).contains {
            $0.hasPrefix(sign)
          } : FileManager.default.fileExists(atPath: "\(data)/\(sign)")
        if isThere { break }
      }
      peer.signal(SIGKILL)
      _ = try await peer.end()
      // Whoever opens the folder now: a server would, and the doctor does.
      let doctor = try await Peer.run(try Binary.path, ["doctor", "--data", data])
      #expect(doctor.status == 0, "\(doctor.lines)")
      #expect(try holders(of: "Hildegard", in: data) == [])
      #expect(try holders(of: "Zylophon4711", in: data) == [])
      let again = try await restore(backup, data)
      #expect(again.status == 0, "\(again.lines)")
      #expect(
        again.lines.joined().contains("1 erasures and 1 redactions were carried out again"),
        "\(again.lines)")
      #expect(try FolderCheck(data).findings == [])
      #expect(try holders(of: "Hildegard", in: data) == [])
      #expect(try holders(of: "Zylophon4711", in: data) == [])
    }
  }

  /// The first restore takes the words out anew: from then on the entry has hashes of its own.
  /// - Parameter isDamaged: whether the entry cannot be read in what the second one replaces. Then all
  ///   of its words go, and stay away.
  @Test(arguments: [false, true])
  func `an older backup, and then a newer one, bring back no words that were taken out`(
    _ isDamaged: Bool
  ) async throws {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      try await chat.customer("my pin is Zylophon4711 and my word is Quetzal99")
      let ann = try await server.token("agent", "ann")
      let said = try #require(
        try await server.timeline(chat.customer).said.first { $0["text"].string != nil })
      var backups: [String] = []
      for words in ["Zylophon4711", "Quetzal99"] {
        backups.append(server.folder.path + "/backup\(backups.count)")
        let backup = backups[backups.count - 1]
        #expect(
          try await server.administer("POST", "/admin/backup", ["to": .text(backup)]).status == 200)
        #expect(
          try await server.call(
            "POST", "/v1/entries/\(said["entry"].int ?? 0)/redact", ["words": .text(words)],
            by: ann
          ).status == 201)
      }
      await server.stop()
      let data = server.settings.data
      for (index, backup) in (backups + [backups[0]]).enumerated() {
        if isDamaged, index == 1 {
          try await DatabaseQueue.beside(data + "/throughline.sqlite").write {
            try $0.execute(
              sql: "UPDATE entries SET at=at+1 WHERE entry=?", arguments: [said["entry"].int])
            #expect($0.changesCount == 1)
          }
        }
        let done = try await restore(backup, data)
        #expect(done.status == 0, "\(done.lines)")
        #expect(
          done.lines.joined().contains("0 erasures and 1 redactions were carried out again"),
          "\(done.lines)")
        #expect(try holders(of: "Zylophon4711", in: data) == [])
        #expect(try holders(of: "Quetzal99", in: data) == [])
        #expect(try FolderCheck(data).findings == [])
      }
    }
  }

  /// Its number is that of one whose words were taken out, and everything else is other.
  @Test func `what was said after a backup of another time keeps its words`() async throws {
    try await TestServer.run { server in
      let chat = try await server.open(
        try await server.token("bot", "webshop"), email: "jo@home.example")
      try await chat.customer("good day")
      let ann = try await server.token("agent", "ann")
      let (data, files) = (server.settings.data, FileManager.default)
      let backups = [0, 1].map { server.folder.path + "/backup\($0)" }
      func backUp(_ index: Int) async throws {
        let reply = try await server.administer(
          "POST", "/admin/backup", ["to": .text(backups[index])])
        #expect(reply.status == 200)
      }
      func last(_ words: String) async throws -> Int {
        let said = try await server.timeline(chat.customer).said.last { $0["text"].text == words }
        return said?["entry"].int ?? 0
      }
      try await backUp(0)
      try await chat.customer("my pin is Zylophon4711")
      let taken = try await last("my pin is Zylophon4711")
      #expect(
        try await server.call(
          "POST", "/v1/entries/\(taken)/redact", ["words": "Zylophon4711"], by: ann
        ).status == 201)
      await server.stop()
      try files.copyItem(atPath: data, toPath: data + "-kept")
      #expect(try await restore(backups[0], data).status == 0)
      try await server.start()
      try await chat.customer("my door has four locks")
      #expect(try await last("my door has four locks") == taken)
      try await backUp(1)
      await server.stop()
      try files.removeItem(atPath: data)
      try files.moveItem(atPath: data + "-kept", toPath: data)
      let done = try await restore(backups[1], data)
      #expect(done.lines.joined().contains("0 erasures and 0 redactions"), "\(done.lines)")
      try await server.start()
      #expect(try await last("my door has four locks") == taken)
    }
  }

  @Test func `a damaged folder is replaced, with what can be read of its receipts`() async throws {
    try await folder { data, backup in
      let path = URL(fileURLWithPath: data + "/throughline.sqlite")
      let good = try Data(contentsOf: path)
      // Words are damaged: everything else can be read, and one redaction's words cannot.
      try await DatabaseQueue.beside(path.path).write {
        try $0.execute(
          sql:
            "UPDATE entries SET at=at+1 WHERE CAST(body AS TEXT) LIKE '%my pin is%' OR CAST(body AS TEXT) LIKE '%sessionOpened%'"
        )
        #expect($0.changesCount > 0)
      }
      let over = try await restore(backup, data)
      #expect(over.status == 0, "\(over.lines)")
      #expect(over.lines.contains { $0.hasPrefix("mind: ") && $0.contains("cannot be read") })
      #expect(over.lines.joined().contains("1 erasures and 1 redactions"))
      #expect(try FolderCheck(data).findings == [])
      #expect(try holders(of: "Zylophon4711", in: data) == [], "more goes rather than less")
      // Nothing of the file can be read.
      try Data().write(to: path)
      let refused = try await restore(backup, data)
      #expect(refused.status != 0 && refused.lines.count == 1, "\(refused.lines)")
      #expect(refused.lines.joined().contains("--accept-lost-erasures"))
      #expect(try Data(contentsOf: path).isEmpty)
      try good.write(to: path)
      let receipts = data + "/../erasures.json"
      let kept = try SQLiteStore(folder: data)
      let receipt = try #require(
        try kept.reader().erasures(kept.reader().workspaces()[0].id).first)
      let name = try kept.reader().workspaces()[0].name
      kept.close()
      try Data(
        """
        [{"workspace":"\(name)","erasure":1,"at":"\(receipt.at)","by":"administrator",
          "customers":["\(receipt.customers[0])"],"up_to":\(receipt.upTo)},
         {"workspace":"elsewhere","erasure":1,"at":"\(receipt.at)","by":"administrator",
          "customers":["\(receipt.customers[0])"],"up_to":\(receipt.upTo)}]
        """.utf8
      ).write(to: URL(fileURLWithPath: receipts))
      try Data().write(to: path)
      let handed = try await restore(backup, data, ["--erasures", receipts])
      #expect(handed.status == 0, "\(handed.lines)")
      #expect(
        handed.lines.contains {
          $0.hasPrefix("mind: one receipt") && $0.contains("of the workspace elsewhere")
        }, "\(handed.lines)")
      #expect(try holders(of: "Hildegard", in: data) == [])
    }
  }

  @Test(arguments: [
    ("nothing", 1, "is no JSON"), ("[\n{\"workspace\": \"a\",\n]", 3, "is no JSON"),
    ("{}", 1, "no list of receipts"), ("[\n1]", 2, "no receipt stands here"),
    ("[\n{}\n]", 2, "the receipt has no at"),
    (
      "[{\"workspace\":\"a\",\"erasure\":1,\"at\":\"2026-11-25T09:30:00Z\",\"by\":\"x\",\"customers\":[],\"up_to\":1},\n\n{\"workspace\":7}]",
      3, "workspace is no text"
    ),
    ("[\n\n{\"at\":\"yesterday\"}]", 3, "\"yesterday\" is no time"),
    (
      "[{\"at\":\"2026-11-25T09:30:00Z\",\"customers\":[\"jo\"]}]", 1,
      "\"jo\" is no customer id"
    ),
  ])
  func `a file of erasures that is wrong is told by its line`(
    _ text: String, _ line: Int, _ what: String
  ) throws {
    #expect {
      try KeptErasures.parse(Array(text.utf8), "kept.json")
    } throws: { error in
      let said = "\(error)"
      return said.hasPrefix("kept.json:\(line): ") && said.contains(what)
        && said.contains("throughline erasures --json")
    }
  }

  @Test func `a backup of a damaged folder says so, whether a server holds it or not`() async throws
  {
    try await TestServer.run { server in
      let bot = try await server.token("bot", "webshop")
      let chat = try await server.open(bot, email: "jo@home.example")
      try await chat.customer("the blue kettle")
      server.damages()
      try await DatabaseQueue.beside(server.settings.data + "/throughline.sqlite").write {
        try $0.execute(sql: "UPDATE sessions SET ended=1")
      }
      for (number, isServed) in [true, false].enumerated() {
        if !isServed { await server.stop() }
        let target = server.folder.path + "/backup\(number)"
        let told = try await Peer.run(
          try Binary.path, ["backup", target, "--data", server.settings.data])
        #expect(told.status == 1, "\(told.lines)")
        #expect(told.lines.contains { $0.contains("damaged: ") && $0.contains("sessions 1/") })
        let back = try await restore(target, server.folder.path + "/new")
        #expect(back.status != 0 && back.lines.joined().contains("--even-damaged"))
      }
    }
  }
}
