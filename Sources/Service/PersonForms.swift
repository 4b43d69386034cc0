import Continuity
import Model
import Pipeline
import Records
import Wire

/// What rows look like once a person was erased from them.
public enum PersonForms {
  public static let erased = ErasedForms(
    profile: CustomerProfile().encoded, conversation: conversation,
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
    linked: { row in
      do throws(WireError) {
        return try CustomerProfile(decoding: row.profile).links.map { $0.other(than: row.id) }
      } catch { return [] }  // The integrity check tells of it.
    })

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

  /// Ids under `attachments`: bots and agents give them as strings, mail as objects with more about
  /// each.
  @Sendable static func attachments(_ entry: EntryRow) -> [BlobID] {
    (entry.parsed?["attachments"]?.array ?? []).compactMap {
      ($0.string ?? $0["blob"]?.string).flatMap { BlobID($0) }
    }
  }
}
