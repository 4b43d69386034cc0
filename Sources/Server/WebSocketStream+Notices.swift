import Model
import Pipeline
import Records
import Routing
import Service
import Sockets

/// What an agent's stream says, in the order in which it happened: what has to be read first does
/// not let what needs no reading pass, or a desk would show a case that is gone.
extension WebSocketStream {
  enum Notice: Sendable {
    case frame([UInt8])
    case entry(ConversationID, EntryID)
    case offer(OfferAnswer)
    /// Their phone rings for it: the phone answers it, not the desk.
    case ringing(OfferAnswer)
    case consult(CaseID, by: AgentID, until: Instant)
    /// A case that came to them without an offer.
    case brought(CaseID, CaseNews)
  }

  func tell(_ text: String, _ connection: Connection) {
    tell(.frame(Array(text.utf8)), connection)
  }

  func tell(_ notice: Notice, _ connection: Connection) {
    if isBackedUp, connection.unsentBytes > edge.settings.unsentBytesMax {
      return closeSlow(connection)
    }
    if case .frame(let bytes) = notice, unheard.isEmpty, !isReading {
      return send(bytes, connection)
    }
    unheard.append(notice)
    readUnheard(connection)
  }

  /// Reads what the agent is to hear, one look after the other: two at once could overtake each
  /// other.
  func readUnheard(_ connection: Connection) {
    guard let caller, let api = edge.api(caller.workspace), !isReading, !isBackedUp,
      !unheard.isEmpty
    else { return }
    isReading = true
    let notices = Array(unheard.prefix(Limit.notices))
    unheard.removeFirst(notices.count)
    let (edge, ref) = (edge, connection.ref)
    edge.reads.run { reads in
      var frames: [[UInt8]] = []
      for notice in notices {
        do throws(StoreFault) {
          if let frame = try notice.frame(api, reads) { frames.append(frame) }
        } catch {
          edge.health.tell("reading for an agent's stream", error)
          // Nobody saw it, so the next agent is asked at once.
          guard case .offer(let offer) = notice else { continue }
          edge.writer(caller.workspace)?.submit([
            Request(.failOffer(offer.offer, .connectionClosed))
          ])
        }
      }
      edge.hub.post(ref, .heard(frames))
    }
  }
}

extension WebSocketStream.Notice {
  fileprivate func frame(_ api: API, _ reads: any StoreReader) throws(StoreFault) -> [UInt8]? {
    switch self {
    case .frame(let bytes): return bytes
    case .entry(let conversation, let entry):
      let rows = try reads.transcript(
        api.directory.workspace, of: conversation, after: EntryID(entry.raw - 1), limit: 1,
        visible: .internal)
      guard let body = rows.first?.body else { return nil }
      return Array("{\"type\":\"entry\",\"conversation\":\"\(conversation)\",\"entry\":".utf8)
        + body + Array("}".utf8)
    case .offer(let offer): return try shown(offer, as: "offer", api, reads)
    case .ringing(let offer): return try shown(offer, as: "ringing", api, reads)
    case .consult(let id, let by, let until):
      return try api.consultFrame(id, by: by, until: until, reads)
    case .brought(let id, let news): return try api.caseFrame(id, news, reads)
    }
  }

  private func shown(
    _ offer: OfferAnswer, as type: String, _ api: API, _ reads: any StoreReader
  ) throws(StoreFault) -> [UInt8]? {
    guard case .reading(let render) = api.offered(withTimeline: 200) else { return nil }
    return Array("{\"type\":\"\(type)\",".utf8)
      + (try render(.offer(offer), reads)).body.dropFirst()
  }
}
