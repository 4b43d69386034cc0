import Model
import Routing

extension Router {
  /// Names never vanish from a workspace's catalogue, so that an empty one is only ever a foreign
  /// handle's.
  public func name(of id: AgentID) -> String { name(id) ?? "" }
  public func name(of id: QueueID) -> String { name(id) ?? "" }
  public func name(of id: BotID) -> String { name(id) ?? "" }

  public func device(_ index: Int, of agent: AgentID) -> String? {
    guard let devices = self.agent(agent)?.settings.devices, devices.indices.contains(index) else {
      return nil
    }
    return devices[index]
  }
}
