import Model
import Wire

extension ConversationRecord {
  func write(_ out: inout ByteWriter) {
    out.put(customer)
    out.put(owner)
    out.put(epoch)
    out.putOptional(lastAgent)
    out.put(sequence)
    out.putOptional(answerBy)
    out.put(askedAt)
  }
  init(_ id: ConversationID, _ bytes: inout ByteReader, version: UInt8) throws(WireError) {
    self.init(
      id: id, customer: try bytes.get(), owner: try bytes.get(), epoch: try bytes.get(),
      lastAgent: try bytes.getOptional(), sequence: try bytes.get())
    guard version > 1 else { return }
    answerBy = try bytes.getOptional()
    askedAt = try bytes.get()
  }
}

extension SessionRecord {
  func write(_ out: inout ByteWriter) {
    out.put(channel)
    out.putOptional(bot)
    out.put(activity)
    out.putOptional(graceUntil)
    out.put(sequence)
  }
  init(_ id: SessionID, _ conversation: Int32, _ bytes: inout ByteReader) throws(WireError) {
    self.init(
      id: id, conversation: conversation, channel: try bytes.get(), bot: try bytes.getOptional(),
      activity: try bytes.get(), graceUntil: try bytes.getOptional(), sequence: try bytes.get())
  }
}

extension CaseState {
  /// Offered is written as waiting: the offers' rows make it offered.
  func write(_ out: inout ByteWriter) {
    switch self {
    case .waiting, .offered: out.uint8(1)
    case .assigned(let agent):
      out.uint8(2)
      out.put(agent)
    case .parked(let agent, let until):
      out.uint8(3)
      out.put(agent)
      out.put(until)
    case .wrappingUp(let agent, let until):
      out.uint8(4)
      out.put(agent)
      out.put(until)
    }
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    let at = bytes.offset
    switch try bytes.uint8() {
    case 1: self = .waiting
    case 2: self = .assigned(try bytes.get())
    case 3: self = .parked(try bytes.get(), until: try bytes.get())
    case 4: self = .wrappingUp(try bytes.get(), until: try bytes.get())
    default: throw WireError.badValue(offset: at)
    }
  }
}

extension CaseBackOff: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(agent)
    out.put(until)
    out.put(times)
    out.put(isOver)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(
      agent: try bytes.get(), until: try bytes.get(), times: try bytes.get(),
      isOver: try bytes.get())
  }
}

extension CaseRecord {
  func write(_ out: inout ByteWriter) {
    out.put(session)
    out.put(channel)
    out.put(need)
    out.putArray(widened)
    out.put(by)
    out.put(age)
    out.put(queuedAt)
    state.write(&out)
    out.put(stepsTaken)
    out.putOptional(preferenceUntil)
    out.putArray(backOffs)
    out.put(offersMade)
    out.putOptional(device)
    out.put(acceptedOnce)
    out.putOptional(replyBy)
    out.put(sequence)
    need.writeMore(&out)
    out.putOptional(consult)
    out.putOptional(heldUntil)
  }
  init(_ id: CaseID, _ conversation: Int32, _ bytes: inout ByteReader, version: UInt8)
    throws(WireError)
  {
    let session: SessionID = try bytes.get()
    let channel: Channel = try bytes.get()
    let need: Need = try bytes.get()
    let widened: [QueueID] = try bytes.getArray()
    let by: RouteReason = try bytes.get()
    self.init(
      id: id, channel: channel, conversation: conversation, sequence: 0, age: try bytes.get(),
      queuedAt: try bytes.get(), session: session, need: need, widened: widened, by: by)
    state = try CaseState(&bytes)
    stepsTaken = try bytes.get()
    preferenceUntil = try bytes.getOptional()
    backOffs = try bytes.getArray()
    offersMade = try bytes.get()
    device = try bytes.getOptional()
    acceptedOnce = try bytes.get()
    replyBy = try bytes.getOptional()
    sequence = try bytes.get()
    guard version > 1 else { return }
    try self.need.readMore(&bytes)
    consult = try bytes.getOptional()
    if version > 3 { heldUntil = try bytes.getOptional() }
  }
}

extension OfferRecord {
  func write(_ out: inout ByteWriter) {
    out.put(agent)
    out.put(seat)
    out.put(until)
    out.put(sequence)
  }
  init(_ id: OfferID, _ theCase: Int32, _ bytes: inout ByteReader) throws(WireError) {
    self.init(
      id: id, theCase: theCase, agent: try bytes.get(), seat: try bytes.get(),
      until: try bytes.get(),
      sequence: try bytes.get())
  }
}

extension Consult: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(agent)
    out.put(until)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(agent: try bytes.get(), until: try bytes.get())
  }
}

extension AgentRecord.WaitingNext: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(waiter)
    out.put(until)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(waiter: try bytes.get(), until: try bytes.get())
  }
}

extension AgentRecord.ChannelStatus: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(channel)
    out.put(status)
    out.putOptional(reason)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(
      channel: try bytes.get(), status: try bytes.get(), reason: try bytes.getOptional())
  }
}

extension AgentRecord {
  func write(_ out: inout ByteWriter) {
    out.put(status)
    out.put(isPresent)
    out.put(presentUntil)
    out.put(isNotResponding)
    out.putOptional(backOffUntil)
    out.putOptional(next)
    out.putArray(streams)
    out.put(idleStamp)
    out.put(idleSince)
    out.put(offeredStamp)
    out.signed(day)
    out.put(acceptedInDay)
    out.putOptional(statusAfter)
    out.put(channels)
    out.putOptional(reason)
    out.putOptional(reasonAfter)
    out.putArray(channelStatuses)
  }
  init(_ bytes: inout ByteReader, version: UInt8) throws(WireError) {
    self.init()
    status = try bytes.get()
    isPresent = try bytes.get()
    presentUntil = try bytes.get()
    isNotResponding = try bytes.get()
    backOffUntil = try bytes.getOptional()
    next = try bytes.getOptional()
    streams = try bytes.getArray()
    idleStamp = try bytes.get()
    idleSince = try bytes.get()
    offeredStamp = try bytes.get()
    day = try bytes.signed()
    acceptedInDay = try bytes.get()
    guard version > 1 else { return }
    statusAfter = try bytes.getOptional()
    channels = try bytes.get()
    guard version > 3 else { return }
    reason = try bytes.getOptional()
    reasonAfter = try bytes.getOptional()
    channelStatuses = try bytes.getArray()
  }
}

extension QueueRecord {
  func write(_ out: inout ByteWriter) {
    out.put(accepted)
    out.put(acceptedInTime)
    out.put(abandoned)
    out.put(isOpen)
    out.put(turn)
  }
  init(_ bytes: inout ByteReader, version: UInt8) throws(WireError) {
    self.init()
    accepted = try bytes.get()
    acceptedInTime = try bytes.get()
    abandoned = try bytes.get()
    if version > 1 { isOpen = try bytes.get() }
    if version > 2 { turn = try bytes.get() }
  }
}

extension Catalogue {
  /// The latest configuration, and all names that there ever were, in the order of their handles.
  /// Of queues that are retired the settings too, since cases may still stand in them.
  func write(_ out: inout ByteWriter) {
    out.bool(configuration != nil)
    configuration?.writeWhole(&out)
    out.putArray(skillNames.all)
    out.putArray(botNames.all)
    out.putArray(teamNames.all)
    out.putArray(agentNames.all)
    out.array(queues) {
      $0.put($1.settings)
      $0.put($1.isRetired)
    }
    for queue in queues { queue.settings.writeMore(&out) }
    for queue in queues { queue.settings.writeBetween(&out) }
    out.array(statuses) {
      $0.put($1.settings)
      $0.put($1.isRetired)
    }
  }

  init(_ bytes: inout ByteReader, version: UInt8) throws(WireError) {
    var latest: RoutingConfiguration?
    if try bytes.bool() {
      latest = version > 1 ? try .readWhole(&bytes, version: version) : try bytes.get()
    }
    skillNames = Names(try bytes.getArray())
    botNames = Names(try bytes.getArray())
    teamNames = Names(try bytes.getArray())
    agentNames = Names(try bytes.getArray())
    for _ in 0..<(try bytes.count()) {
      queues.append(Queue(settings: try bytes.get(), isRetired: try bytes.get()))
      _ = queueNames.add(queues[queues.count - 1].settings.name)
    }
    if version > 1 { for index in queues.indices { try queues[index].settings.readMore(&bytes) } }
    if version > 2 {
      for index in queues.indices { try queues[index].settings.readBetween(&bytes) }
    }
    if version > 3 {
      for _ in 0..<(try bytes.count()) {
        statuses.append(Status(settings: try bytes.get(), isRetired: try bytes.get()))
        _ = statusNames.add(statuses[statuses.count - 1].settings.name)
      }
    }
    agents = agentNames.all.map { .retired($0) }
    if let latest { apply(latest) }
  }
}

extension Catalogue.Agent {
  /// Known by name alone.
  static func retired(_ name: String) -> Catalogue.Agent {
    Catalogue.Agent(
      settings: .init(name: name, skills: [], queues: []), skills: [], queues: [], isRetired: true)
  }
}
