import Model
import Wire

extension Need.SkillRequirement: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(skill)
    out.put(level)
    out.put(required)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(skill: try bytes.get(), level: try bytes.get(), required: try bytes.get())
  }
}

extension Need.PreferredAgent: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(agent)
    out.put(self.for)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(agent: try bytes.get(), for: try bytes.get())
  }
}

extension Need.Step.Change: WireValue {
  func write(_ out: inout ByteWriter) {
    switch self {
    case .dropSkill(let skill):
      out.uint8(1)
      out.put(skill)
    case .lowerSkill(let skill, let level):
      out.uint8(2)
      out.put(skill)
      out.put(level)
    case .raisePriority(let by):
      out.uint8(3)
      out.put(by)
    case .changeQueue(let queue):
      out.uint8(4)
      out.put(queue)
    case .widen(let queues):
      out.uint8(5)
      out.putArray(queues)
    case .message(let text):
      out.uint8(6)
      out.put(text)
    }
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    let at = bytes.offset
    switch try bytes.uint8() {
    case 1: self = .dropSkill(try bytes.get())
    case 2: self = .lowerSkill(try bytes.get(), level: try bytes.get())
    case 3: self = .raisePriority(by: try bytes.get())
    case 4: self = .changeQueue(try bytes.get())
    case 5: self = .widen(try bytes.getArray())
    case 6: self = .message(try bytes.get())
    default: throw WireError.badValue(offset: at)
    }
  }
}

extension Need.Step: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(after)
    out.put(change)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(after: try bytes.get(), change: try bytes.get())
  }
}

extension Need: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(queue)
    out.put(priority)
    out.putArray(skills)
    out.putOptional(preferred)
    out.putArray(excluded)
    out.putArray(steps)
    out.putOptional(weight)
    out.putOptional(serviceLevel)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(queue: try bytes.get())
    priority = try bytes.get()
    skills = try bytes.getArray()
    preferred = try bytes.getOptional()
    excluded = try bytes.getArray()
    steps = try bytes.getArray()
    weight = try bytes.getOptional()
    serviceLevel = try bytes.getOptional()
  }
}

extension RouteReason: WireValue {
  func write(_ out: inout ByteWriter) {
    out.put(cause)
    out.put(ruleVersion)
    out.putOptional(rule)
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init(cause: try bytes.get(), ruleVersion: try bytes.get(), rule: try bytes.getOptional())
  }
}

// What came later stands behind the first layout, which is still read alone.
extension Need {
  /// Whole, for whoever keeps it outside the machine.
  public var encoded: [UInt8] {
    var out = ByteWriter()
    write(&out)
    writeMore(&out)
    return out.bytes
  }
  public init(decoding bytes: [UInt8]) throws(WireError) {
    self = try ByteReader.readAll(bytes) { bytes throws(WireError) in
      var need = try Need(&bytes)
      try need.readMore(&bytes)
      return need
    }
  }

  func writeMore(_ out: inout ByteWriter) {
    out.putArray(requiredAgents)
    out.putArray(requiredTeams)
    out.putArray(excludedTeams)
  }
  mutating func readMore(_ bytes: inout ByteReader) throws(WireError) {
    requiredAgents = try bytes.getArray()
    requiredTeams = try bytes.getArray()
    excludedTeams = try bytes.getArray()
  }
}
