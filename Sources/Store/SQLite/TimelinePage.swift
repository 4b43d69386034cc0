import Records
import Model

/// The numbers of one page, out of several customer records: each record's own are read from the
/// index, at most a page of them, and merged. A page that is full narrows what the next record is
/// asked, so that many records cost little more than one. (`UNION` in SQL would want a statement
/// for every count of records.)
struct TimelinePage {
  /// Ascending.
  private(set) var numbers: [Int64] = []
  private var low: Int64
  private var high: Int64
  private let direction: PageDirection
  private let limit: Int

  init(from: EntryID, _ direction: PageDirection, atMost: EntryID, limit: Int) {
    self.direction = direction
    self.limit = max(limit, 0)
    switch direction {
    case .newer:  // low < number <= high
      low = from.raw
      high = atMost.raw
    case .older:  // low <= number < high
      low = .min
      high = atMost.raw == .max ? from.raw : min(from.raw, atMost.raw + 1)
    }
  }

  mutating func gather(
    _ queries: Queries, _ workspace: WorkspaceID, _ customer: CustomerID, _ visible: Visibility
  ) throws(StoreFault) {
    guard limit > 0 else { return }
    let (low, high, limit) = (low, high, limit)
    let statement = queries.bound(direction == .newer ? .newerOfCustomer : .olderOfCustomer) {
      columns in
      columns.put(workspace, customer)
      columns.put(low)
      columns.put(high)
      columns.put(Int64(visible.rawValue))
      columns.put(Int64(limit))
    }
    var found: [Int64] = []
    while try statement.step() { found.append(statement.integer(at: 0)) }
    if found.isEmpty { return }
    if direction == .older { found.reverse() }
    numbers = numbers.isEmpty ? found : (numbers + found).sorted()
    guard numbers.count >= limit else { return }
    switch direction {
    case .newer:
      numbers.removeLast(numbers.count - limit)
      self.high = numbers[limit - 1]
    case .older:
      numbers.removeFirst(numbers.count - limit)
      self.low = numbers[0]
    }
  }
}
