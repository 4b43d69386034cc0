extension RoutingConfiguration {
  /// Why `configure` would be rejected, whatever the state of the machine; nil when it would be
  /// taken. Whoever reads several folders asks for each before the first is applied.
  public var fault: Rejection? { Catalogue.fault(self) }
}
