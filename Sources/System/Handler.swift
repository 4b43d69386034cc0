/// A closure for a place that several threads look into, such as a `Mutex`.
///
/// A closure that lies there bare is passed `inout` through generic code at each look, and comes
/// back wrapped in one more thunk: after a million looks a call goes through a million of them, or
/// runs out of stack. Inside a struct it stays what it is. (Swift 6.3; seen in `perf` as a chain of
/// reabstraction thunks.)
public struct Handler<Argument>: Sendable {
  public let call: @Sendable (Argument) -> Void
  public init(_ call: @escaping @Sendable (Argument) -> Void) { self.call = call }
}
