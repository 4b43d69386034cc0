import Continuity
import Model
import Records

/// Why agents joined people or their conversations, took them apart or marked what they share. Such a reason may name any of
/// those who were one person then ("Hildegard showed his card"), and stands with all of them: in the
/// links of their records, in the evidence of a shared identity, in the entries `merged` and `split`,
/// and in both conversations in `joined` and `parted`.
enum ToldReasons {
  static let forms = ErasedForms.Reasons(
    together: { row, gone in
      var range: ClosedRange<Instant>?
      for link in row.decodedProfile?.links ?? [] where !gone.contains(link.other(than: row.id)) {
        guard let first = link.story.first?.at, let last = link.story.last?.at else { continue }
        let end = link.isActive ? Instant(milliseconds: .max) : last
        let low = min(range?.lowerBound ?? first, first)
        range = low...max(range?.upperBound ?? end, end, low)
      }
      return range
    },
    profile: { row, gone, range in
      guard var profile = row.decodedProfile else { return nil }
      for index in profile.links.indices {
        let isTheirs = gone.contains(profile.links[index].other(than: row.id))
        profile.links[index].forgetReasons(in: isTheirs ? nil : range)
      }
      return profile.encoded
    },
    identity: { row, range in
      guard var evidence = row.decodedEvidence, evidence.standing == .shared,
        let decided = evidence.decided, range.contains(decided.at), !evidence.reason.isEmpty
      else { return nil }
      evidence.decided?.means = "sharing"
      evidence.decided?.detail = ""
      return evidence.encoded
    },
    entry: { row in
      guard let body = row.body,
        [.merged, .split, .joined, .parted].contains(EntryBody.kind(of: body))
      else { return false }
      let reason = row.parsed?["reason"]?.string ?? ""
      return !reason.isEmpty && reason != Link.assertedTogether
    })
}
