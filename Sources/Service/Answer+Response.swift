import Model
import Pipeline
import Routing
import Wire

extension APIResponse {
  public init(_ answer: Answer, _ words: RefusalWords) {
    guard case .rejected(let rejection, let owner, let epoch) = answer, let words = words[rejection]
    else {
      self.init(answer)
      return
    }
    var problem = APIProblem(rejection, owner: owner, epoch: epoch)
    (problem.title, problem.detail) = words
    self.init(problem)
  }

  /// The response to an answer that needs no look into the store.
  public init(_ answer: Answer) {
    switch answer {
    case .done: self.init(200, json: Array("{\"ok\":true}".utf8))
    case .position(let position): self.init(200, json: Array("{\"position\":\(position)}".utf8))
    case .recorded(let entry, let conversation, let owner, let epoch):
      var out = Array("{\"entry\":\(entry),\"conversation\":\"\(conversation)\",\"owner\":".utf8)
      owner.append(to: &out)
      out += Array(",\"epoch\":\(epoch)}".utf8)
      self.init(201, json: out)
    case .handedOff(let aCase, let conversation, let owner, let epoch, let entry, let wait):
      var out = Array(
        "{\"case\":\"\(aCase)\",\"conversation\":\"\(conversation)\",\"entry\":\(entry),\"owner\":"
          .utf8)
      owner.append(to: &out)
      out += Array(",\"epoch\":\(epoch)".utf8)
      if let wait { out += Array(",\"estimated_wait\":".utf8) + wait.json }
      self.init(201, json: out + [UInt8(ascii: "}")])
    case .accepted(let aCase, let conversation, let owner, let epoch):
      var out = Array("{\"case\":\"\(aCase)\",\"conversation\":\"\(conversation)\",\"owner\":".utf8)
      owner.append(to: &out)
      out += Array(",\"epoch\":\(epoch)}".utf8)
      self.init(200, json: out)
    case .ruleAnswered(let action, let rule, let version):
      let (kind, text) =
        switch action {
        case .answer(let text): ("answer", text)
        case .handBack(let text): ("hand_back", text)
        case .reject(let text): ("reject", text)
        }
      var out = Array("{\"action\":\"\(kind)\",\"text\":".utf8)
      JSONText.append(text, to: &out)
      out += Array(",\"rule\":\(rule),\"rule_version\":\(version)}".utf8)
      self.init(200, json: out)
    case .journeyRecorded(let customer, let entry):
      self.init(201, json: Array("{\"customer\":\"\(customer)\",\"entry\":\(entry)}".utf8))
    case .blobKept(let blob): self.init(201, json: Array("{\"blob\":\"\(blob)\"}".utf8))
    case .customerIs(let customer):
      self.init(200, json: Array("{\"customer\":\"\(customer)\"}".utf8))
    case .tagged(let conversation, let tags, let entry):
      var members = Members()
      members.text("conversation", conversation.description)
      members.texts("tags", tags)
      if let entry { members.number("entry", entry.raw) }
      self.init(
        entry == nil ? 200 : 201,
        json: [UInt8(ascii: "{")] + members.bytes.dropFirst() + [UInt8(ascii: "}")])
    case .redacted(let entry, let teller):
      self.init(201, json: Array("{\"entry\":\(teller),\"redacted\":\(entry)}".utf8))
    case .refused(let refusal): self.init(APIProblem(refusal))
    case .rulesPublished(let version, let isNew):
      self.init(
        isNew ? 201 : 200, json: Array("{\"changed\":\(isNew),\"version\":\(version)}".utf8))
    case .noOffer: self.init(204, contentType: "application/json", [])
    case .mailTaken(let conversation, let entry, let duplicate):
      self.init(
        200,
        json: Array(
          "{\"conversation\":\"\(conversation)\",\"entry\":\(entry),\"duplicate\":\(duplicate)}"
            .utf8))
    case .sessionOpened(let session, let conversation, _, _, _, _, _, _, _):
      self.init(
        201, json: Array("{\"session\":\"\(session)\",\"conversation\":\"\(conversation)\"}".utf8))
    case .callTaken(let session, let conversation, _, _, _):
      self.init(
        201, json: Array("{\"session\":\"\(session)\",\"conversation\":\"\(conversation)\"}".utf8))
    case .standing(let standing):
      self = CallInstruction(standing, now: Instant(milliseconds: 0)).response(call: nil)
    case .offer(let offer):
      self.init(200, json: Array("{\"offer\":\"\(offer.offer)\",\"case\":\"\(offer.case)\"}".utf8))
    case .rejected(let rejection, let owner, let epoch):
      self.init(APIProblem(rejection, owner: owner, epoch: epoch))
    case .keyReused:
      self.init(
        APIProblem(
          422, "idempotency-key-reused", "Idempotency-Key reused",
          "this key was used with another request; a repeat must have the same body"))
    case .unavailable: self.init(APIProblem.unavailable)
    case .damaged: self.init(APIProblem.damaged)
    }
  }
}
