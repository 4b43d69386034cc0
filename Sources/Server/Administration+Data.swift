import Dispatch
import Foundation
import Model
import Records
import Service
import Store
import System
import WebCodec
import Wire

/// Backup, and what the law gives a person: to see all that is kept of them, and to have it erased.
extension Administration {
  /// These may take minutes: not on the read pool, and one after the other.
  private static let queue = DispatchQueue(label: "administration", qos: .utility)

  /// False when it is none of these.
  static func answerData(
    _ method: String, _ path: [String], _ query: QueryParameters, _ body: [UInt8], _ edge: Edge,
    _ reply: @escaping @Sendable (APIResponse) -> Void
  ) throws(APIProblem) -> Bool {
    let work: @Sendable () throws -> APIResponse
    switch (method, path.first ?? "", path.count) {
    case ("POST", "backup", 1):
      let target = try folder(body)
      work = { try backUp(edge, to: target) }
    case ("POST", "export", 1):
      let (writer, who, target) = try person(body, edge, wantsFolder: true)
      work = { try export(writer, who, to: target, edge) }
    case ("POST", "erase", 1):
      let (writer, who, _) = try person(body, edge, wantsFolder: false)
      work = { try erase(writer, who, edge) }
    case ("GET", "erasures", 1):
      work = { try erasures(edge) }
    case ("GET", "accesses", 1):
      let writer = try workspace(query["workspace"], edge)
      let customer = query["customer"].flatMap { CustomerID($0) }
      if query["customer"] != nil, customer == nil {
        throw APIProblem(
          422, "malformed-id", "Whose?", "customer must be an id such as cust_…", field: "customer")
      }
      let before = query["before"].flatMap { Int64($0) } ?? .max
      work = { try accesses(writer, customer, before: before, edge) }
    case ("POST", "tidy", 1):
      work = { APIResponse(200, json: Array("{\"forgotten\":\(try edge.tidy())}".utf8)) }
    default: return false
    }
    queue.async {
      do { reply(try work()) } catch let problem as APIProblem { reply(APIResponse(problem)) } catch
      {
        let why = Self.why(error, edge.settings.data)
        Log.fault("administration", why)
        reply(APIResponse(APIProblem(503, "unavailable", "It did not work", why)))
      }
    }
    return true
  }

  /// Whoever asks here runs the server, and can do something about damage.
  private static func why(_ error: any Error, _ folder: String) -> String {
    guard case StoreFault.corrupt = error else { return "\(error)" }
    return
      "\(error); `throughline doctor --data \(folder)` says what is damaged: where it is an index alone, "
      + "stop the server and `throughline doctor --reindex --data \(folder)`; else restore the last good backup"
  }

  private static var now: Instant { Instant.now }

  private static func folder(_ body: [UInt8]) throws(APIProblem) -> String {
    var fields = try Fields(body)
    let target = try fields.required("to")
    try fields.finish()
    guard target.hasPrefix("/") else {
      throw fields.wrong("to", "to must be the whole path of a folder, from /")
    }
    return target
  }

  private static func person(
    _ body: [UInt8], _ edge: Edge, wantsFolder: Bool
  ) throws(APIProblem) -> (Writer, String, folder: String) {
    var fields = try Fields(body)
    let writer = try workspace(try fields.optional("workspace"), edge)
    let who = try fields.required("identity")
    let target = wantsFolder ? try fields.required("to") : ""
    try fields.finish()
    guard !wantsFolder || target.hasPrefix("/") else {
      throw fields.wrong("to", "to must be the whole path of a folder, from /")
    }
    return (writer, who, target)
  }

  /// The one customer who is proven to be this. What was only claimed leads to nobody: a claim must
  /// not make us show or erase somebody else's words.
  private static func customer(
    _ who: String, _ writer: Writer, _ edge: Edge, _ reads: any StoreReader
  ) throws -> CustomerID {
    if let id = CustomerID(who) {
      guard let root = try root(of: id, writer, reads) else {
        throw APIProblem.notFound("customer")
      }
      return root
    }
    guard let api = edge.api(writer.workspace) else { throw APIProblem.unavailable }
    for identity in IdentityText.candidates(who, api) {
      let hash = api.hash(identity)
      let row: IdentityRow?
      do throws(StoreFault) { row = try reads.identity(writer.workspace, hash: hash) } catch {
        guard case .corrupt = error else { throw error }
        guard let owner = try reads.owner(writer.workspace, evenDamaged: hash),
          let root = try root(of: owner, writer, reads)
        else {
          throw APIProblem(
            422, "damaged", "Cannot be told",
            "the row that says whose \"\(who)\" is cannot be read: name the customer by id")
        }
        return root
      }
      if let row, let root = try root(of: row.customer, writer, reads) {
        guard !row.isShared else {
          throw APIProblem(
            422, "shared-identity", "Several people's",
            "\"\(who)\" is marked as shared and so is no one person's: name the customer by id; `throughline timeline` finds them"
          )
        }
        return root
      }
    }
    throw APIProblem(
      404, "not-found", "Not found",
      "no customer of \(writer.name) is proven to be \"\(who)\"; `throughline timeline` finds who claims to be, with their ids"
    )
  }

  /// Of whom nobody can read it: the record itself, which stands for its person as well.
  private static func root(
    of id: CustomerID, _ writer: Writer, _ reads: any StoreReader
  ) throws(StoreFault) -> CustomerID? {
    try StoreFault.unlessCorrupt { () throws(StoreFault) in
      try reads.customer(writer.workspace, id)?.root
    } ?? id
  }

  // MARK: - What they do

  private static func backUp(_ edge: Edge, to target: String) throws -> APIResponse {
    try refuse(target, "back up to", edge)
    let backup = try edge.store.backUp(to: target, at: now)
    if backup.findings.isEmpty {
      Log.note("a backup stands in \(target)")
    } else {
      edge.health.found(backup.findings, doing: "backing up into \(target)")
    }
    var json = JSONWriter()
    json.object {
      $0.field("at", backup.at.description)
      $0.field(
        "workspaces",
        array: { array in
          for workspace in backup.workspaces {
            array.object {
              $0.field("name", workspace.name)
              $0.field("position", workspace.position)
              $0.field("entries", workspace.entries)
            }
          }
        })
      $0.field("attachments", backup.blobs)
      $0.field("damaged", array: { for finding in backup.findings { $0.string(finding) } })
    }
    return APIResponse(200, json: json.bytes)
  }

  private static func refuse(
    _ target: String, _ doing: String, _ edge: Edge
  ) throws(APIProblem) {
    do throws(StoreFault) {
      try SQLiteStore.refuse(target, inside: edge.store.folder, "\(doing) \(target)")
    } catch {
      throw APIProblem(422, "wrong-value", "Not in here", error.sentence, field: "to")
    }
  }

  private static func export(_ writer: Writer, _ who: String, to target: String, _ edge: Edge)
    throws -> APIResponse
  {
    try refuse(target, "export to", edge)
    let reads = try edge.store.reader()
    let customer = try customer(who, writer, edge, reads)
    guard let directory = edge.api(writer.workspace)?.directory,
      let export = try PersonExport.read(customer, directory, reads, at: now)
    else { throw APIProblem.notFound("customer") }
    guard !Files.exists("\(target)/export.json") else {
      throw APIProblem(
        422, "wrong-value", "Not overwritten",
        "\(target) holds an export already; name another folder", field: "to")
    }
    try edge.store.record(
      [AccessRow(at: now, who: "administrator", what: .export, customer: customer)],
      writer.workspace)
    try Files.createFolder("\(target)/attachments")
    // Everything else is theirs all the same.
    var damaged: [BlobRow] = []
    for row in export.attachments {
      let bytes: [UInt8]
      do throws(StoreFault) { bytes = try edge.store.blobs.read(row.hash, writer.workspace) } catch
      {
        edge.health.tell("exporting the attachment \(row.id)", error)
        damaged.append(row)
        continue
      }
      try Files.writeAtomically(bytes, to: "\(target)/attachments/\(PersonExport.fileName(row))")
    }
    let whole = export.json(without: Set(damaged.map(\.id)))
    try Files.writeAtomically(Array(try ExportText.render(whole).utf8), to: "\(target)/export.txt")
    try Files.writeAtomically(whole, to: "\(target)/export.json")
    var json = JSONWriter()
    json.object {
      $0.field("customer", customer.description)
      $0.field("entries", export.entries)
      $0.field("attachments", export.attachments.count - damaged.count)
      $0.field("damaged", array: { for row in damaged { $0.string(PersonExport.fileName(row)) } })
    }
    return APIResponse(200, json: json.bytes)
  }

  private static func erase(_ writer: Writer, _ who: String, _ edge: Edge) throws -> APIResponse {
    let reads = try edge.store.reader()
    let root = try customer(who, writer, edge, reads)
    var shared: [Erasing.Shared] = []
    let receipt = try edge.store.erase(
      writer.workspace, at: now, by: "administrator", PersonForms.erased,
      beneath: writer.beneath
    ) { () throws(StoreFault) in
      let erasing = try Erasing(root, writer.workspace, reads)
      shared = erasing.shared
      return erasing.records
    }
    let dropped = receipt.damaged == 0 ? "" : "; \(receipt.damaged) damaged rows were dropped"
    Log.note("workspace \(writer.name): erasure \(receipt.number) is done\(dropped)")
    var json = JSONWriter()
    append(receipt, writer.name, stillIn: try replaced(edge), stillShared: shared, &json)
    return APIResponse(200, json: json.bytes)
  }

  private static func erasures(_ edge: Edge) throws -> APIResponse {
    let reads = try edge.store.reader()
    var rows: [(String, ErasureReceipt)] = []
    for writer in edge.writers {
      rows += try reads.erasures(writer.workspace).map { (writer.name, $0) }
    }
    var json = JSONWriter()
    json.array { for (name, receipt) in rows { append(receipt, name, &$0) } }
    return APIResponse(200, json: json.bytes)
  }

  /// Folders from before a restore: nobody is erased from them.
  private static func replaced(_ edge: Edge) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: edge.settings.data)
      .filter { $0.hasPrefix("replaced-") }.sorted()
  }

  static func append(
    _ receipt: ErasureReceipt, _ workspace: String, stillIn folders: [String] = [],
    stillShared: [Erasing.Shared] = [], _ json: inout JSONWriter
  ) {
    json.object {
      $0.field("workspace", workspace)
      $0.field("erasure", receipt.number)
      $0.field("at", receipt.at.description)
      $0.field("by", receipt.by)
      $0.field("customers", array: { for id in receipt.customers { $0.string(id.description) } })
      $0.field("up_to", receipt.upTo.raw)
      $0.field("entries", receipt.entries)
      $0.field("identities", receipt.identities)
      $0.field("attachments", receipt.blobs)
      if receipt.damaged > 0 { $0.field("damaged", receipt.damaged) }
      if let done = receipt.done { $0.field("done", done.description) }
      if !folders.isEmpty {
        $0.field("still_in", array: { for folder in folders { $0.string(folder) } })
      }
      if !stillShared.isEmpty {
        $0.field(
          "still_shared",
          array: { list in
            for one in stillShared {
              list.object {
                $0.field("identity", "\(one.identity.kind.name):\(one.identity.value)")
                $0.field("customer", one.customer.description)
              }
            }
          })
      }
    }
  }

  /// The thousand newest of those with a lower number.
  private static func accesses(
    _ writer: Writer, _ customer: CustomerID?, before: Int64, _ edge: Edge
  ) throws -> APIResponse {
    let rows = try edge.store.reader().accesses(
      writer.workspace, of: customer, before: before, limit: 1_000)
    var json = JSONWriter()
    json.array { array in
      for (number, row) in rows {
        array.object {
          $0.field("number", number)
          $0.field("at", row.at.description)
          $0.field("who", row.who)
          $0.field("what", row.what.name)
          if let customer = row.customer { $0.field("customer", customer.description) }
        }
      }
    }
    return APIResponse(200, json: json.bytes)
  }
}
