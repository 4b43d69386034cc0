/// Gives names that look alike each one of its own, so that none of what they name is lost.
///
/// `é` may be one character, or two. To people, and to whatever compares texts as Swift does, both
/// are one name; to a condition they are two.
public struct DistinctNames: Sendable {
  private var taken: Set<String> = []

  public init() {}

  /// - Returns: the name, or `name (2)` where one that looks like it has been given already.
  public mutating func own(_ name: String) -> String {
    var own = name
    var count = 1
    while !taken.insert(own).inserted {
      count += 1
      own = "\(name) (\(count))"
    }
    return own
  }
}
