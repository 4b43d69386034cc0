import Continuity
import Model
import Records
import WebCodec

/// Who a customer is, as agents see it: every identity with its evidence, what several sources say,
/// which records were joined and by whom, and who else this might be.
public struct CustomerPage: Sendable {
  var root: CustomerID
  var profile: CustomerProfile
  var records: [CustomerID]
  var identities: [(row: IdentityRow, evidence: Evidence)]
  var suggestions: [Suggestion]

  /// A claim that an agent may confirm or reject.
  struct Suggestion: Sendable {
    var identity: Identity
    /// People of whom the same identity is proven, or was before it was marked as shared.
    var customers: [CustomerID]
    var isShared: Bool
  }

  /// nil where there is no such customer.
  static func read(_ id: CustomerID, _ api: API, _ reads: any StoreReader) throws(StoreFault)
    -> CustomerPage?
  {
    let workspace = api.directory.workspace
    guard let asked = try reads.customer(workspace, id) else { return nil }
    let records = try reads.person(workspace, asked.root)
    var profiles: [CustomerProfile] = []
    var page = CustomerPage(
      root: asked.root, profile: CustomerProfile(), records: records.map(\.id), identities: [],
      suggestions: [])
    for record in records {
      profiles.append(try profile(record))
      // Of whoever was erased a mark may be left.
      for row in try reads.identities(workspace, of: record.id) where !row.identity.value.isEmpty {
        page.identities.append((row, try evidence(row)))
      }
    }
    page.profile = CustomerProfile.union(profiles)
    let proven = Set(page.identities.filter { $0.row.assurance.joins }.map(\.row.identity))
    for (row, evidence) in page.identities where !row.assurance.joins && evidence.standing == .plain
    {
      if proven.contains(row.identity)
        || page.suggestions.contains(where: { $0.identity == row.identity })
      {
        continue
      }
      page.suggestions.append(try suggestion(row.identity, besides: asked.root, api, reads))
    }
    return page
  }

  private static func suggestion(
    _ identity: Identity, besides root: CustomerID, _ api: API, _ reads: any StoreReader
  ) throws(StoreFault) -> Suggestion {
    let workspace = api.directory.workspace
    let spellings =
      [identity, api.normalised(identity.kind, identity.value)].compactMap { $0 }
      + api.earlier(identity.kind, identity.value)
    guard let known = try api.row(spellings, reads),
      let holder = try reads.customer(workspace, known.customer)
    else { return Suggestion(identity: identity, customers: [], isShared: false) }
    guard try evidence(known).standing == .shared else {
      return Suggestion(
        identity: identity, customers: [holder.root].filter { $0 != root }, isShared: false)
    }
    var customers: [CustomerID] = []
    for link in try profile(holder).links where link.identities.contains(known.hash) {
      let other = try reads.customer(workspace, link.other(than: holder.id))
      if let other, other.root != root, !customers.contains(other.root) {
        customers.append(other.root)
      }
    }
    return Suggestion(identity: identity, customers: customers, isShared: true)
  }

  static func profile(_ row: CustomerRow) throws(StoreFault) -> CustomerProfile {
    guard let profile = row.decodedProfile else {
      throw StoreFault.corrupt(what: "a customer's profile")
    }
    return profile
  }

  private static func evidence(_ row: IdentityRow) throws(StoreFault) -> Evidence {
    guard let evidence = row.decodedEvidence else {
      throw StoreFault.corrupt(what: "the evidence of an identity")
    }
    return evidence
  }

  // MARK: - As JSON

  var json: [UInt8] {
    var json = JSONWriter()
    json.object { write(&$0) }
    return json.bytes
  }

  private func write(_ json: inout JSONWriter) {
    json.field("id", root.description)
    if let name = profile.displayName { json.field("name", name) }
    json.field(
      "attributes",
      array: { array in
        for attribute in profile.attributes {
          array.object {
            $0.field("name", attribute.name)
            $0.field("value", raw: attribute.value)
            $0.field("source", attribute.source)
            $0.field("at", attribute.at.description)
            if !attribute.reason.isEmpty { $0.field("reason", attribute.reason) }
          }
        }
      })
    json.field(
      "identities",
      array: { array in
        for (row, evidence) in identities { array.object { Self.write(row, evidence, &$0) } }
      })
    json.field(
      "suggestions",
      array: { array in
        for suggestion in suggestions {
          array.object { object in
            object.field("kind", suggestion.identity.kind.name)
            object.field("value", suggestion.identity.value)
            object.field("shared", suggestion.isShared)
            object.field(
              "customers",
              array: { list in for id in suggestion.customers { list.string(id.description) } })
          }
        }
      })
    json.field("records", array: { array in for id in records { array.string(id.description) } })
    json.field(
      "joined",
      array: { array in
        for link in profile.links where !link.isSpare { array.object { Self.write(link, &$0) } }
      })
  }

  static func write(_ row: IdentityRow, _ json: inout JSONWriter) {
    json.field("kind", row.identity.kind.name)
    json.field("value", row.identity.value)
    json.field("assurance", row.assurance.name)
    json.field("record", row.customer.description)
  }

  private static func write(_ item: Evidence.Item, source: StaticString, _ json: inout JSONWriter) {
    json.field(source, item.source)
    json.field("means", item.means)
    if !item.detail.isEmpty { json.field("detail", item.detail) }
    json.field("assurance", item.assurance.name)
    json.field("at", item.at.description)
  }

  /// What an identity is, what people decided about it, and who said that it is theirs.
  /// - Parameter source: how it is called whose word it is.
  static func write(
    _ row: IdentityRow, _ evidence: Evidence, source: StaticString = "by", _ json: inout JSONWriter
  ) {
    write(row, &json)
    switch evidence.standing {
    case .plain: break
    case .shared: json.field("standing", "shared")
    case .rejected: json.field("standing", "rejected")
    case .confirmed: json.field("standing", "confirmed")
    }
    if let decided = evidence.decided {
      json.field("decided_by", decided.source)
      json.field("decided_at", decided.at.description)
      if !evidence.reason.isEmpty { json.field("reason", evidence.reason) }
    }
    json.field(
      "evidence",
      array: { array in
        for item in evidence.items {
          array.object { write(item, source: source, &$0) }
        }
      })
  }

  private static func write(_ link: Link, _ json: inout JSONWriter) {
    json.field(
      "records",
      array: {
        $0.string(link.records.0.description)
        $0.string(link.records.1.description)
      })
    json.field("now", link.isActive)
    json.field(
      "story",
      array: { array in
        for step in link.story {
          array.object {
            $0.field("what", name(step.what))
            $0.field("by", step.by)
            if !step.reason.isEmpty { $0.field("reason", step.reason) }
            $0.field("at", step.at.description)
          }
        }
      })
  }

  private static func name(_ what: Link.Step.What) -> String {
    switch what {
    case .joined: "joined"
    case .parted: "parted"
    case .partedAsShared: "parted_as_shared"
    case .assertedToo: "asserted_too"
    }
  }
}
