extension Set {
  /// These, and all that they lead to, one after another.
  public func reach<Fault: Error>(by next: (Element) throws(Fault) -> [Element]) throws(Fault)
    -> Set
  {
    var (found, open) = (self, Array(self))
    while let one = open.popLast() {
      for other in try next(one) where found.insert(other).inserted { open.append(other) }
    }
    return found
  }
}
