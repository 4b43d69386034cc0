import Continuity
import Model
import Pipeline
import Records
import Wire

/// What rows look like once a person was erased from them.
public enum PersonForms {
  public static let erased = ErasedForms(
    profile: CustomerProfile().encoded, conversation: conversation, identity: mark,
    aCase: { row in
      do throws(WireError) {
        var about = try CaseAbout(decoding: row.about)
        about.handoff = []
        return about.encoded
      } catch { return [] }  // What nobody can read may hold anything.
    }, attachments: attachments,
    mention: mention, mentionOf: mention,
    customerOf: { CaseView.decoded($0.about)?.customer },
    without: { customers, row in
      guard var about = ConversationPage.decoded(row.about) else { return conversation }
      if customers.contains(about.mailBy ?? row.customer) {
        (about.mail, about.mailBy, about.subjectKey) = (nil, nil, nil)
      }
      if customers.contains(about.callBy ?? row.customer) {
        (about.call, about.callBy) = (nil, nil)
      }
      return about.encoded
    },
    linked: { row in row.decodedProfile?.links.map { $0.other(than: row.id) } ?? [] },
    reasons: ToldReasons.forms, echoes: WordEchoes.forms)

  @Sendable private static func mention<Noun: IDKind>(_ id: ID<Noun>) -> [UInt8] {
    var writer = ByteWriter()
    writer.id(id)
    return writer.bytes
  }

  private static var conversation: [UInt8] {
    var about = ConversationAbout()
    about.isErased = true
    return about.encoded
  }

  /// That a number is several people's is not about the one who brought it first; without the mark
  /// it would make one person of the next two who do. What stays is its keyed hash.
  @Sendable private static func mark(_ row: IdentityRow) -> IdentityRow? {
    guard let evidence = row.decodedEvidence, evidence.standing == .shared else { return nil }
    let decided = evidence.decided
    func without(_ item: Evidence.Item?) -> Evidence.Item {
      .init(
        source: item?.source ?? "", means: "", assurance: row.assurance,
        at: item?.at ?? Instant(milliseconds: 0))
    }
    var mark = Evidence(without(nil))
    mark.standing = .shared
    mark.decided = without(decided)
    var row = row
    row.identity = Identity(kind: row.identity.kind, value: "")
    row.evidence = mark.encoded
    return row
  }

  /// Ids under `attachments`: bots and agents give them as strings, mail as objects with more about
  /// each. A recording stands alone, under `blob`.
  @Sendable static func attachments(_ entry: EntryRow) -> [BlobID] {
    // Most name none, and need not be parsed for that.
    guard let body = entry.body, marks.contains(where: { body.contains($0) }),
      let told = entry.parsed
    else { return [] }
    let names = (told["attachments"]?.array ?? []).map { $0.string ?? $0["blob"]?.string }
    return (names + [told["blob"]?.string]).compactMap { $0.flatMap { BlobID($0) } }
  }

  private static let marks = ["\"attachments\":", "\"blob\":"].map { Array($0.utf8) }
}
