/// What is known of facts whatever the case is: what conditions are judged by before they run.
public struct Premises: Sendable {
  /// Slots that are never absent.
  public var always: Set<Int> = []
  /// Slots of maps that hold every name by which a condition may ask for a part of them.
  public var whole: Set<Int> = []
  /// What whole numbers are at least and at most, by slot.
  public var ranges: [Int: ClosedRange<Int64>] = [:]
  /// The same of an object's field, such as `queue.waiting`.
  public var fieldRanges: [String: ClosedRange<Int64>] = [:]
  /// How many elements, or code points, a fact has at most, by slot.
  public var sizes: [Int: Int64] = [:]
  /// All that a fact can be, by slot.
  public var values: [Int: [Value]] = [:]
  /// The slot of a text, of which `values` tells all, and for other slots of which of them they may
  /// be present.
  public var place: Int?
  public var places: [Int: Set<String>] = [:]
  /// The only value that a fact has in a place, by slot and place.
  public var valuesAt: [Int: [String: Value]] = [:]

  public init() {}
}
