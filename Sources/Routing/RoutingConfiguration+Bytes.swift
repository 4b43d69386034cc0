import Model
import Wire

extension RoutingConfiguration.PerChannel: WireValue where Value: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(chat)
    out.put(email)
    out.put(phone)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(chat: try bytes.get(), email: try bytes.get(), phone: try bytes.get())
  }
}

extension RoutingConfiguration.MissPolicy: WireValue {
  func write(_ out: inout ByteWriter) {
    switch self {
    case .notResponding: out.uint8(1)
    case .backOff(let time):
      out.uint8(2)
      out.put(time)
    }
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    let at = bytes.offset
    switch try bytes.uint8() {
    case 1: self = .notResponding
    case 2: self = .backOff(try bytes.get())
    default: throw WireError.badValue(offset: at)
    }
  }
}

extension RoutingConfiguration.Queue: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(name)
    out.put(prioritySeconds)
    out.put(serviceLevel)
    out.putArray(strategy)
    out.put(onMiss)
    out.put(wrapUp)
    out.put(offerTimeout)
    out.put(waitingMax)
    out.put(order)
    out.put(offersAtOnce)
    out.put(firstReply)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(name: try bytes.get())
    prioritySeconds = try bytes.get()
    serviceLevel = try bytes.get()
    strategy = try bytes.getArray()
    onMiss = try bytes.get()
    wrapUp = try bytes.get()
    offerTimeout = try bytes.get()
    waitingMax = try bytes.get()
    order = try bytes.get()
    offersAtOnce = try bytes.get()
    firstReply = try bytes.get()
  }
}

extension RoutingConfiguration.Agent.Skill: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(name)
    out.put(level)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(try bytes.get(), level: try bytes.get())
  }
}

extension RoutingConfiguration.Agent: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(name)
    out.putArray(skills)
    out.putArray(queues)
    out.putArray(teams)
    out.put(capacity)
    out.put(channelMax)
    out.putArray(devices)
    out.put(autoAccept)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(name: try bytes.get(), skills: try bytes.getArray(), queues: try bytes.getArray())
    teams = try bytes.getArray()
    capacity = try bytes.get()
    channelMax = try bytes.get()
    devices = try bytes.getArray()
    autoAccept = try bytes.get()
  }
}

extension RoutingConfiguration.Limits: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(weight)
    out.put(voiceExclusive)
    out.put(presenceLease)
    out.put(restartGrace)
    out.put(declineBackOff)
    out.put(declineBackOffMax)
    out.put(sessionIdleMax)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init()
    weight = try bytes.get()
    voiceExclusive = try bytes.get()
    presenceLease = try bytes.get()
    restartGrace = try bytes.get()
    declineBackOff = try bytes.get()
    declineBackOffMax = try bytes.get()
    sessionIdleMax = try bytes.get()
  }
}

extension RoutingConfiguration: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(version)
    out.putArray(skills)
    out.putArray(bots)
    out.putArray(teams)
    out.putArray(queues)
    out.putArray(agents)
    out.put(limits)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(
      version: try bytes.get(), skills: try bytes.getArray(), bots: try bytes.getArray(), queues: [], agents: [])
    teams = try bytes.getArray()
    queues = try bytes.getArray()
    agents = try bytes.getArray()
    limits = try bytes.get()
  }
}
