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
      version: try bytes.get(), skills: try bytes.getArray(), bots: try bytes.getArray(),
      queues: [], agents: [])
    teams = try bytes.getArray()
    queues = try bytes.getArray()
    agents = try bytes.getArray()
    limits = try bytes.get()
  }
}

// What came later stands behind the first layout, which is still read alone: event code 1, rows of
// version 1. Event
// code 33 and rows of version 2 end before slopes and shares, code 43 and version 3 before statuses.
extension RoutingConfiguration {
  func writeWhole(_ out: inout ByteWriter) {
    write(&out)
    for queue in queues { queue.writeMore(&out) }
    out.put(limits.interruptible)
    out.put(limits.botSilenceMax)
    out.put(limits.botSilenceQueue)
    for queue in queues { queue.writeBetween(&out) }
    out.putArray(statuses)
    for agent in agents { out.put(agent.voiceExclusive) }
  }
  /// - Parameter version: of the row's encoding, 2 to 4.
  static func readWhole(_ bytes: inout ByteReader, version: UInt8) throws(WireError)
    -> RoutingConfiguration
  {
    var read = try RoutingConfiguration(&bytes)
    for index in read.queues.indices { try read.queues[index].readMore(&bytes) }
    read.limits.interruptible = try bytes.get()
    read.limits.botSilenceMax = try bytes.get()
    read.limits.botSilenceQueue = try bytes.get()
    if version > 2 {
      for index in read.queues.indices { try read.queues[index].readBetween(&bytes) }
    }
    if version > 3 {
      read.statuses = try bytes.getArray()
      for index in read.agents.indices { read.agents[index].voiceExclusive = try bytes.get() }
    }
    return read
  }
}

extension RoutingConfiguration.Queue {
  func writeMore(_ out: inout ByteWriter) {
    out.bool(hours != nil)
    if let hours { out.putArray(hours) }
    out.put(whenClosed)
    out.put(whenFull)
    out.put(waitMax)
    out.put(whenWaitedOut)
  }
  mutating func readMore(_ bytes: inout ByteReader) throws(WireError) {
    hours = try bytes.bool() ? try bytes.getArray() : nil
    whenClosed = try bytes.get()
    whenFull = try bytes.get()
    waitMax = try bytes.get()
    whenWaitedOut = try bytes.get()
  }
  func writeBetween(_ out: inout ByteWriter) {
    out.put(slopePermille)
    out.put(share)
  }
  mutating func readBetween(_ bytes: inout ByteReader) throws(WireError) {
    slopePermille = try bytes.get()
    share = try bytes.get()
  }
}

extension RoutingConfiguration.Status: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(name)
    out.put(counts)
    out.putArray(channels)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(name: try bytes.get(), as: try bytes.get(), channels: try bytes.getArray())
  }
}

extension RoutingConfiguration.OpenInterval: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(from)
    out.put(until)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(from: try bytes.get(), until: try bytes.get())
  }
}

extension RoutingConfiguration.Overflow: WireValue {
  func write(_ out: inout ByteWriter) {
    switch self {
    case .wait: out.uint8(1)
    case .refuse: out.uint8(2)
    case .queue(let name):
      out.uint8(3)
      out.put(name)
    case .handBack: out.uint8(4)
    case .message: out.uint8(5)
    }
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    let at = bytes.offset
    switch try bytes.uint8() {
    case 1: self = .wait
    case 2: self = .refuse
    case 3: self = .queue(try bytes.get())
    case 4: self = .handBack
    case 5: self = .message
    default: throw WireError.badValue(offset: at)
    }
  }
}
