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
    mention: { conversation in
      var writer = ByteWriter()
      writer.id(conversation)
      return writer.bytes
    })

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
