import Channels
import Foundation
import Model
import Pipeline
import System
import Testing

/// What a call becomes as a request.
struct PhoneChannelTests {
  private let channel = PhoneChannel(
    workspace: WorkspaceID(1), defaultRegion: "GB",
    identityKey: HMACKey(Array(repeating: 1, count: 32)))

  private func arrival(
    from: String?, to: String? = "110", id: String = "1795.7", system: String = "shop/pbx"
  ) -> CallArrival {
    channel.arrival(.init(system: system, id: id, from: from, to: to))
  }

  @Test(arguments: ["+442079460018", "02079460018", "0044 20 7946 0018", "(020) 7946-0018"])
  func `a caller is known by their number in one form, however the phone system writes it`(
    _ written: String
  ) {
    let call = arrival(from: written)
    #expect(call.from == "+442079460018")
    #expect(call.claims.map(\.identity) == [Identity(kind: .phone, value: "+442079460018")])
    #expect(call.claims.map(\.assurance) == [.asserted])
    #expect(call.claims.map(\.source) == ["phone:shop/pbx"])
    #expect(call.claims.first?.hash == arrival(from: "+442079460018").claims.first?.hash)
  }

  @Test(
    arguments: [
      "1234", "201", "sip:joe@pbx.local", "+1 202 555 01", " 0049 30 901820\u{7}", "0000000000",
      "1234567890", "+19999999999", "+10123456789", "+33000000000", "+4900000000000",
    ])
  func `what is no number that we know is shown as the phone system wrote it, and proves nothing`(
    _ written: String
  ) {
    let call = arrival(from: written)
    #expect(call.claims.isEmpty)
    #expect(call.from == "anonymous")
    let shown = written.trimmingCharacters(in: .whitespaces.union(.controlCharacters))
    #expect(String(decoding: call.members, as: UTF8.self).contains("\"from\":\"\(shown)\""))
  }

  @Test
  func `one of our own numbers, which a phone system presents that passes a call on, is nobody's`()
  {
    var ours = channel
    ours.dialledNumbers = ["+442079460000"]
    let call = ours.arrival(.init(system: "shop/pbx", id: "1", from: "020 7946 0000", to: "110"))
    #expect(call.claims.isEmpty && call.from == "anonymous")
    #expect(String(decoding: call.members, as: UTF8.self).contains(#""from":"020 7946 0000""#))
  }

  @Test(arguments: [nil, "anonymous", "Restricted", "unknown", " "])
  func `a number that is nobody's identifies nobody, and the call is taken all the same`(
    _ written: String?
  ) {
    let call = arrival(from: written)
    #expect(call.claims.isEmpty)
    #expect(call.from == "anonymous")
    #expect(String(decoding: call.members, as: UTF8.self).contains(#""from":"anonymous""#))
  }

  @Test
  func `what was dialled is normalised where it is a number, and kept where it is an extension`() {
    #expect(arrival(from: nil, to: "020 7946 0000").to == "+442079460000")
    #expect(arrival(from: nil, to: "110").to == "110")
    #expect(arrival(from: nil, to: nil).to == "")
  }

  @Test func `a call is named by its phone system and its id there, for ever`() {
    #expect(arrival(from: nil).callKey == arrival(from: "+442079460018").callKey)
    #expect(arrival(from: nil).callKey == PhoneChannel.key(system: "shop/pbx", id: "1795.7"))
    #expect(arrival(from: nil).callKey != arrival(from: nil, id: "1795.8").callKey)
    #expect(arrival(from: nil).callKey != arrival(from: nil, system: "shop/other").callKey)
  }

  @Test func `a caller's name cannot break out of the entry that tells it`() throws {
    let call = channel.arrival(
      .init(system: "shop/pbx", id: "1", from: nil, to: nil, name: #"Eve","kind":"note"#))
    let text = String(decoding: call.members, as: UTF8.self)
    #expect(text.hasSuffix(#","caller_name":"Eve\",\"kind\":\"note""#), "\(text)")
  }
}
