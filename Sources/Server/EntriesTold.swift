import Model
import Records
import Routing
import Store

/// The entries that the log says were written, held against their rows, both ways: each once, in order,
/// and at the position at which it was written. An erased entry keeps its number and its position.
struct EntriesTold {
  private var places: [(entry: Int64, position: Int64)] = []
  private var firstWrong: String?
  private var wrong = 0

  mutating func feed(_ record: LogRecord, _ events: [Event], _ entries: [EntryID]) {
    for (place, entry) in entries.enumerated() {
      let due = (places.last?.entry ?? 0) &+ 1
      // Words taken out of an entry: it is named again, with its new hash, before the one that tells of it.
      if entry.raw < due, place + 1 < entries.count, entries[place + 1].raw == due { continue }
      if entry.raw != due {
        note("position \(record.position) of the log has entry \(entry.raw) where \(due) is due")
      }
      places.append((entry.raw, record.position))
    }
    for event in events {
      guard case .entryRecorded(let entry, _, _, _, _) = event, !entries.contains(entry) else {
        continue
      }
      note("position \(record.position) of the log records entry \(entry.raw) and did not write it")
    }
  }

  private mutating func note(_ sentence: String) {
    wrong += 1
    if firstWrong == nil { firstWrong = sentence }
  }

  /// A sentence for a person on the first that differs, and how many more do.
  mutating func differences(in workspace: WorkspaceID, _ reader: SQLiteReader) throws(StoreFault)
    -> [String]
  {
    places.sort { ($0.entry, $0.position) < ($1.entry, $1.position) }
    var next = 0
    try reader.eachEntryPlace(workspace) { entry, position in
      while next < places.count, places[next].entry < entry.raw {
        noteNoRow(next)
        next += 1
      }
      guard next < places.count, places[next].entry == entry.raw else {
        return note(
          "entry \(entry.raw) has a row of position \(position), and the log does not have it")
      }
      let told = places[next].position
      if told != position {
        note("entry \(entry.raw) has a row of position \(position), and the log has it at \(told)")
      }
      next += 1
      // Told already, as not the one that was due.
      while next < places.count, places[next].entry == entry.raw { next += 1 }
    }
    for place in next..<places.count { noteNoRow(place) }
    return (firstWrong.map { [$0] } ?? [])
      + (wrong > 1 ? ["… and \(wrong - 1) more that differ between log and entries"] : [])
  }

  private mutating func noteNoRow(_ place: Int) {
    let (entry, position) = places[place]
    note("entry \(entry) is in the log at position \(position) and has no row")
  }
}
