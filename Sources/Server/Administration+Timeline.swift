import Continuity
import Model
import Records
import Service
import System
import WebCodec

/// Whose timeline? Everybody's whom an address or number leads to, and how sure that is: an
/// administrator
/// looks for a person, and a mail whose sender nobody has proven is this person's too, perhaps.
extension Administration {
  /// Customers that one answer shows; of more, the best proven and then the newest.
  private static let customersMax = 20

  /// `{"customers":[{"customer","assurance"?,"said_by":[…],"name"?,"timeline":{…}}…],"more":false}`,
  /// the best proven first. `assurance` is absent where the customer was asked for by id.
  static func timeline(
    _ query: QueryParameters, _ edge: Edge, _ reply: @escaping @Sendable (APIResponse) -> Void
  ) throws(APIProblem) {
    let writer = try workspace(query["workspace"], edge)
    guard let text = query["identity"], let api = edge.api(writer.workspace) else {
      throw APIProblem(
        422, "missing-field", "Whose timeline?", "identity is required", field: "identity")
    }
    let id = CustomerID(text)
    let wanted = id == nil ? IdentityText.candidates(text, api) : []
    guard id != nil || !wanted.isEmpty else {
      throw APIProblem(
        422, "wrong-value", "Not an identity",
        "\"\(text)\" is no email address, phone number, or kind:value such as chat:u-17",
        field: "identity")
    }
    let workspace = writer.workspace
    edge.reads.run { reads in
      do throws(StoreFault) {
        let found: [Found]
        if let id {
          found = try Found.by(id, workspace, reads)
        } else {
          found = try Found.by(wanted, workspace, reads)
        }
        guard !found.isEmpty else {
          return reply(
            APIResponse(
              APIProblem(
                404, "not-found", "Not found",
                "no customer of \(writer.name) is or claims to be \"\(text)\"")
            ))
        }
        api.record(
          .timeline, by: "administrator", of: found.prefix(customersMax).map(\.root.id))
        reply(APIResponse(200, json: try json(found, workspace, reads)))
      } catch {
        edge.health.tell("reading a timeline", error)
        reply(APIResponse(APIProblem(error)))
      }
    }
  }

  private static func json(
    _ found: [Found], _ workspace: WorkspaceID, _ reads: any StoreReader
  ) throws(StoreFault) -> [UInt8] {
    var pages: [(Found, [UInt8])] = []
    for customer in found.prefix(customersMax) {
      let page = try TimelinePage.read(
        workspace, of: customer.root.id, .before(EntryID(.max)), limit: 10_000, visible: .internal,
        reads)
      var bytes: [UInt8] = []
      page.append(to: &bytes)
      pages.append((customer, bytes))
    }
    var json = JSONWriter()
    json.object { answer in
      answer.field(
        "customers",
        array: { array in
          for (customer, page) in pages {
            array.object {
              $0.field("customer", customer.root.id.description)
              if let assurance = customer.assurance { $0.field("assurance", assurance.name) }
              $0.field(
                "said_by",
                array: { array in for source in customer.sources { array.string(source) } })
              if let name = customer.name { $0.field("name", name) }
              $0.field("timeline", raw: page)
            }
          }
        })
      answer.field("more", found.count > customersMax)
    }
    return json.bytes
  }

  /// A customer whom an identity leads to.
  private struct Found {
    var root: CustomerRow
    var assurance: Assurance?
    var sources: [String] = []

    /// Where it cannot be read, the customer has no name for us: the timeline is what was asked
    /// for.
    var name: String? { root.decodedProfile?.displayName }

    static func by(
      _ id: CustomerID, _ workspace: WorkspaceID, _ reads: any StoreReader
    ) throws(StoreFault) -> [Found] {
      guard let row = try reads.customer(workspace, id),
        let root = try reads.customer(workspace, row.root)
      else {
        return []
      }
      return [Found(root: root)]
    }

    static func by(
      _ wanted: [Identity], _ workspace: WorkspaceID, _ reads: any StoreReader
    ) throws(StoreFault) -> [Found] {
      var found: [Found] = []
      for identity in wanted {
        for row in try reads.identities(workspace, like: identity, limit: 10_000) {
          guard let at = try by(row.customer, workspace, reads).first else { continue }
          let index = found.firstIndex { $0.root.id == at.root.id } ?? found.endIndex
          if index == found.endIndex { found.append(at) }
          found[index].assurance = max(found[index].assurance ?? row.assurance, row.assurance)
          for source in sources(row) where !found[index].sources.contains(source) {
            found[index].sources.append(source)
          }
        }
      }
      return found.sorted { a, b in
        (b.assurance ?? .claimed, b.root.created, b.root.id) < (
          a.assurance ?? .claimed, a.root.created, a.root.id
        )
      }
    }

    private static func sources(_ row: IdentityRow) -> [String] {
      row.decodedEvidence?.items.map(\.source) ?? ["?"]
    }
  }
}

/// An identity as a person types it: `ann@home.example`, `+1 415 555 0100`, `chat:u-17`.
enum IdentityText {
  static func candidates(_ text: String, _ api: API) -> [Identity] {
    if let colon = text.firstIndex(of: ":"), let kind = IdentityKind(name: String(text[..<colon])) {
      return spellings(kind, String(text[text.index(after: colon)...]), api)
    }
    return IdentityKind.allCases.flatMap { spellings($0, text, api) }
  }

  private static func spellings(_ kind: IdentityKind, _ text: String, _ api: API) -> [Identity] {
    [api.normalised(kind, text)].compactMap { $0 } + api.earlier(kind, text)
  }
}
