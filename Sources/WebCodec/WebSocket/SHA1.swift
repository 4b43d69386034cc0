/// SHA-1, for the WebSocket handshake alone (RFC 6455 §4.2.2), where it proves nothing secret. Not
/// for anything else.
enum SHA1 {
  static func hash(_ message: [UInt8]) -> [UInt8] {
    var bytes = message + [0x80]
    while bytes.count % 64 != 56 { bytes.append(0) }
    withUnsafeBytes(of: (UInt64(message.count) &* 8).bigEndian) { bytes.append(contentsOf: $0) }
    var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
    for block in stride(from: 0, to: bytes.count, by: 64) {
      mix(bytes[block..<(block + 64)], into: &state)
    }
    return state.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
  }

  private static func mix(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
    var words: [UInt32] = []
    words.reserveCapacity(80)
    for at in stride(from: block.startIndex, to: block.endIndex, by: 4) {
      words.append(block[at..<(at + 4)].reduce(0) { $0 << 8 | UInt32($1) })
    }
    for t in 16..<80 {
      words.append(left(words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1))
    }
    var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
    for t in 0..<80 {
      let (f, k): (UInt32, UInt32) =
        switch t {
        case ..<20: (b & c | ~b & d, 0x5A82_7999)
        case ..<40: (b ^ c ^ d, 0x6ED9_EBA1)
        case ..<60: (b & c | b & d | c & d, 0x8F1B_BCDC)
        default: (b ^ c ^ d, 0xCA62_C1D6)
        }
      let next = left(a, 5) &+ f &+ e &+ k &+ words[t]
      (e, d, c, b, a) = (d, c, left(b, 30), a, next)
    }
    for (index, word) in [a, b, c, d, e].enumerated() { state[index] &+= word }
  }

  private static func left(_ word: UInt32, _ n: UInt32) -> UInt32 { word << n | word >> (32 - n) }
}
