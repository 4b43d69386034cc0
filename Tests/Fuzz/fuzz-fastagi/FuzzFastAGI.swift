import PhoneCodec

/// Any bytes and any wishes, in any order: nothing traps, what is read does not depend on how it
/// was cut, every ring and every call has one end, and nothing is written after the close.
///
/// An input is lines; one that begins with `!` is a wish of the router, a lone `#` the peer's
/// close, anything else is what Asterisk says, its line end included.
@_silgen_name("LLVMFuzzerRunDriver") func LLVMFuzzerRunDriver(
  _ argc: UnsafeMutablePointer<CInt>,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main struct FuzzFastAGI {
  static func main() {
    var argc = CommandLine.argc
    var argv = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&argc, &argv) { start, count in
      FuzzFastAGI.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
  }

  enum Step {
    case bytes([UInt8])
    case wish(AGIWish)
    case close
  }

  static func one(_ input: [UInt8]) {
    let steps = input.split(separator: 10, omittingEmptySubsequences: false).map(step)
    let whole = play(steps, bytewise: false)
    guard whole == play(steps, bytewise: true) else {
      fatalError("cut at every byte, it is another talk")
    }
    check(whole)
  }

  static func step(_ line: ArraySlice<UInt8>) -> Step {
    switch line.first {
    case UInt8(ascii: "!"): wish(line.dropFirst()).map { .wish($0) } ?? .bytes(Array(line))
    case UInt8(ascii: "#") where line.count == 1: .close
    default: .bytes(Array(line) + [10])
    }
  }

  /// The first byte picks the wish; the rest is its text.
  static func wish(_ text: ArraySlice<UInt8>) -> AGIWish? {
    let rest = String(decoding: text.dropFirst(), as: UTF8.self)
    let offer = AGIOffer(rest) ?? AGIOffer("offer")
    return switch text.first {
    case UInt8(ascii: "w"): .wait
    case UInt8(ascii: "r"):
      offer.flatMap { offer in
        AGIDevice("PJSIP/agent1").map {
          .ring(AGIRing(device: $0, offer: offer, timeoutSeconds: 9))
        }
      }
    case UInt8(ascii: "s"): offer.map { .stopRinging($0) }
    case UInt8(ascii: "a"):
      .announce([.number(text.count)] + (AGISound(rest).map { [.sound($0)] } ?? []))
    case UInt8(ascii: "p"): .probe
    case UInt8(ascii: "f"): .finish(AGIEnding(rawValue: rest) ?? .served)
    case UInt8(ascii: "y"): .accept
    case UInt8(ascii: "n"): .refuse
    default: nil
    }
  }

  static let keyring: AGIKeyring = {
    var keyring = AGIKeyring()
    try? keyring.add(phoneSystem: "main", secret: "0123456789abcdef0123")
    return keyring
  }()

  /// What was written, as one stretch between two tellings, since a cut may write in two what was
  /// written in one.
  static func play(_ steps: [Step], bytewise: Bool) -> [AGIOutput] {
    var connection = AGIConnection(keyring: keyring)
    var outputs: [AGIOutput] = []
    for step in steps {
      switch step {
      case .bytes(let bytes):
        if bytewise {
          for byte in bytes { outputs += connection.received([byte]) }
        } else {
          outputs += connection.received(bytes)
        }
      case .wish(let wish): outputs += connection.wish(wish)
      case .close: outputs += connection.peerClosed()
      }
    }
    return outputs + connection.peerClosed()
  }

  static func check(_ outputs: [AGIOutput]) {
    var arrived = 0, ended = 0, closed = 0
    for output in outputs {
      switch output {
      case .write(let bytes):
        guard closed == 0 else { fatalError("written after the close") }
        guard bytes.last == 10, bytes.dropLast().allSatisfy({ $0 != 10 && $0 != 13 && $0 != 0 }),
          bytes.count <= AGICommand.lineBytesMax
        else { fatalError("not one line") }
      case .close: closed += 1
      case .told(.callArrived): arrived += 1
      case .told(.callEnded): ended += 1
      case .told: break
      }
    }
    guard arrived == ended, arrived <= 1, closed == 1 else {
      fatalError("\(arrived) \(ended) \(closed)")
    }
  }
}

/// libFuzzer's archive wants this symbol wherever its driver is linked.
@_cdecl("LLVMFuzzerTestOneInput") public func testOneInput(
  _ start: UnsafePointer<UInt8>?, _ count: Int
) -> CInt {
  FuzzFastAGI.one([UInt8](UnsafeBufferPointer(start: start, count: count)))
  return 0
}
