extension StoreFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .failed(let doing, let why): "could not \(doing): \(why)"
    case .corrupt(let what): "stored data does not match its checksum: \(what)"
    case .outOfOrder(let expected, let got):
      "log positions out of order: expected \(expected), got \(got)"
    }
  }
}
