import Model
import Wire

extension Owner: WireValue {
  func write(_ out: inout ByteWriter) {
    switch self {
    case .bot(let bot):
      out.uint8(1)
      out.put(bot)
    case .queue(let queue, let id):
      out.uint8(2)
      out.put(queue)
      out.put(id)
    case .agent(let agent, let id):
      out.uint8(3)
      out.put(agent)
      out.put(id)
    case .closed: out.uint8(4)
    case .unrouted: out.uint8(5)
    }
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    let at = bytes.offset
    switch try bytes.uint8() {
    case 1: self = .bot(try bytes.get())
    case 2: self = .queue(try bytes.get(), try bytes.get())
    case 3: self = .agent(try bytes.get(), try bytes.get())
    case 4: self = .closed
    case 5: self = .unrouted
    default: throw WireError.badValue(offset: at)
    }
  }
}

extension Author: WireValue {
  func write(_ out: inout ByteWriter) {
    switch self {
    case .customer: out.uint8(1)
    case .bot(let bot):
      out.uint8(2)
      out.put(bot)
    case .agent(let agent):
      out.uint8(3)
      out.put(agent)
    case .system: out.uint8(4)
    }
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    let at = bytes.offset
    switch try bytes.uint8() {
    case 1: self = .customer
    case 2: self = .bot(try bytes.get())
    case 3: self = .agent(try bytes.get())
    case 4: self = .system
    default: throw WireError.badValue(offset: at)
    }
  }
}

extension AgentStatus: WireValue {
  func write(_ out: inout ByteWriter) {
    switch self {
    case .offline: out.uint8(1)
    case .available: out.uint8(2)
    case .busy: out.uint8(3)
    case .onBreak: out.uint8(4)
    case .meeting: out.uint8(5)
    case .training: out.uint8(6)
    case .custom(let number):
      out.uint8(8)
      out.put(number)
    }
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    let at = bytes.offset
    switch try bytes.uint8() {
    case 1: self = .offline
    case 2: self = .available
    case 3: self = .busy
    case 4: self = .onBreak
    case 5: self = .meeting
    case 6: self = .training
    case 7: self = .custom(StatusID(UInt32(try bytes.uint8())))
    case 8: self = .custom(try bytes.get())
    default: throw WireError.badValue(offset: at)
    }
  }
}

extension Seat: WireValue {
  func write(_ out: inout ByteWriter) {
    switch self {
    case .next(let waiter):
      out.uint8(1)
      out.put(waiter)
    case .stream(let waiter):
      out.uint8(2)
      out.put(waiter)
    case .device(let index):
      out.uint8(3)
      out.put(index)
    }
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    let at = bytes.offset
    switch try bytes.uint8() {
    case 1: self = .next(try bytes.get())
    case 2: self = .stream(try bytes.get())
    case 3: self = .device(try bytes.get())
    default: throw WireError.badValue(offset: at)
    }
  }
}

extension OfferEnd: WireValue {
  func write(_ out: inout ByteWriter) {
    switch self {
    case .accepted: out.uint8(1)
    case .declined: out.uint8(2)
    case .timedOut: out.uint8(3)
    case .revoked(let why):
      out.uint8(4)
      out.put(why)
    case .failed(let why):
      out.uint8(5)
      out.put(why)
    }
  }
  init(_ bytes: inout ByteReader) throws(WireError) {
    let at = bytes.offset
    switch try bytes.uint8() {
    case 1: self = .accepted
    case 2: self = .declined
    case 3: self = .timedOut
    case 4: self = .revoked(try bytes.get())
    case 5: self = .failed(try bytes.get())
    default: throw WireError.badValue(offset: at)
    }
  }
}

extension PassedOver: WireValue {
  func write(_ out: inout ByteWriter) { out.putArray(counts) }
  init(_ bytes: inout ByteReader) throws(WireError) {
    self.init()
    let read: [UInt32] = try bytes.getArray()
    // An older version knew fewer reasons.
    for (index, count) in read.enumerated() where index < counts.count { counts[index] = count }
  }
}
