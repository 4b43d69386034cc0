import Continuity
import Model
import Pipeline
import Records
import Routing
import WebCodec

/// Who a customer is, and what agents and supervisors decide about it.
extension API {
  func findCustomer(_ request: APIRequest, _ caller: Caller) throws(APIProblem) -> APIAction {
    try need(caller, .agent, .supervisor, .admin)
    let identity = try identity(request.query("kind"), request.query("value"))
    let earlier = earlier(identity.kind, request.query("value") ?? "")
    let api = self
    return .read { reads throws(StoreFault) in
      guard let row = try api.row([identity] + earlier, reads),
        let page = try CustomerPage.read(row.customer, api, reads)
      else {
        return APIResponse(
          APIProblem(
            404, "not-found", "Not found", "no customer here is proven to have this identity"))
      }
      api.record(.customer, by: caller, of: [page.root])
      return APIResponse(200, json: page.json)
    }
  }

  /// The first of these that is kept.
  func row(
    _ spellings: [Identity], _ reads: any StoreReader
  ) throws(StoreFault) -> IdentityRow? {
    for one in spellings {
      if let row = try reads.identity(directory.workspace, hash: hash(one)) { return row }
    }
    return nil
  }

  func getCustomer(_ request: APIRequest, _ caller: Caller, _ id: CustomerID) throws(APIProblem)
    -> APIAction
  {
    try need(caller, .agent, .supervisor, .admin)
    let api = self
    return .read { reads throws(StoreFault) in
      guard let page = try CustomerPage.read(id, api, reads) else {
        return APIResponse(.notFound("customer"))
      }
      api.record(.customer, by: caller, of: [page.root])
      return APIResponse(200, json: page.json)
    }
  }

  func onCustomer(
    _ request: APIRequest, _ caller: Caller, _ id: CustomerID, _ what: String
  ) throws(APIProblem) -> APIAction {
    try need(caller, .agent, .supervisor, .admin)
    let by = caller.signature
    var fields = try Fields(request)
    let decided: AboutCustomer.What
    switch what {
    case "merge": decided = .merge(id, try other(&fields, "with"))
    case "split": decided = .split(id, try other(&fields, "from"))
    case "identities": decided = try judgement(id, &fields)
    case "attributes":
      guard let given = try fields.wordsObject("attributes"), !given.isEmpty else {
        throw fields.problem(
          "attributes", "attributes are required, such as {\"name\": \"Jo Doe\"}",
          type: "missing-field")
      }
      decided = .set(id, try Self.attributes(given, by))
    default: throw .noPage
    }
    let reason = try fields.optionalWords("reason", bytesMax: 1_024) ?? ""
    try fields.end()
    return .submit(
      .aboutCustomer(AboutCustomer(decided, by: by, reason: reason)), request.idempotency,
      .direct { APIResponse($0) })
  }

  private func other(_ fields: inout Fields, _ name: String) throws(APIProblem) -> CustomerID {
    guard let id: CustomerID = try fields.optionalID(name) else { throw fields.missing(name) }
    return id
  }

  private func judgement(_ id: CustomerID, _ fields: inout Fields) throws(APIProblem)
    -> AboutCustomer.What
  {
    let (kind, value) = (try fields.text("kind"), try fields.text("value", bytesMax: 320))
    let identity = try identity(kind, value)
    let hashes = ([identity] + earlier(identity.kind, value)).map(hash)
    switch try fields.text("decision") {
    case "confirm": return .confirm(id, hashes: hashes, with: try fields.optionalID("customer"))
    case "verify":
      return .verify(id, hashes: hashes, evidence: try fields.words("evidence"))
    case "reject": return .reject(id, hashes: hashes)
    case "share": return .share(id, hashes: hashes, true)
    case "unshare": return .share(id, hashes: hashes, false)
    default:
      throw fields.problem("decision", "decision must be confirm, verify, reject, share or unshare")
    }
  }

  private func identity(_ kindName: String?, _ value: String?) throws(APIProblem) -> Identity {
    guard let kind = kindName.flatMap({ IdentityKind(name: $0) }), let value else {
      throw APIProblem(
        422, "wrong-value", "The request cannot be understood",
        "an identity is a kind (email, phone, chat or external) and a value", field: "value")
    }
    guard let found = normalised(kind, value) else {
      throw APIProblem(
        422, "wrong-value", "The request cannot be understood", Self.unusable(kind, value),
        field: "value")
    }
    return found
  }
}
