import Continuity
import Testing

/// What is found by holding an entry against what was left of it.
@Suite struct RedactionAgainTests {
  private func entry(_ members: String) -> [UInt8] {
    Array("{\"entry\":7,\"kind\":\"message\",\(members),\"salt\":\"00\"}".utf8)
  }

  private func taken(_ whole: String, _ words: [String]) throws -> [UInt8] {
    try words.reduce(entry(whole)) { body, word in
      let redaction = try #require(Redaction(word))
      return try #require(redaction.entry(body, by: .init(9), salt: 1), "\(word)")
    }
  }

  /// Whether taking them out again, one after the other, leaves what was left.
  private func again(_ whole: String, _ left: [UInt8]) -> [UInt8] {
    var body = entry(whole)
    for words in Redaction.between(body, and: left) {
      body = words.entry(body, by: .init(9), salt: 1) ?? body
    }
    return body
  }

  @Test(arguments: [
    (#""text":"my pin is 4711 and 4711 again""#, ["4711"]),
    (#""text":"4711""#, ["4711"]),
    (#""text":"a b c","reason":"b""#, ["b"]),
    (#""text":"ab abc","more":{"list":["abc",{"x":"ab"}]}"#, ["abc", "ab"]),
    (
      #""text":"say \"Quark\" or é\n€","fields":{"pin":"1234","other":12}"#, ["Quark", "1234", "€"]
    ),
    (#""text":"one two three""#, ["one", "three"]),
    (#""text":"kept","fields":{"card 4711":"x","order":"17"}"#, ["4711"]),
    (#""known":{"a":{"card 4711":"4711 it is"}},"detail":{"tl_x":["y"]}"#, ["4711", "tl_x"]),
  ])
  func `the words are found to the letter`(_ whole: String, _ words: [String]) throws {
    let left = try taken(whole, words)
    #expect(again(whole, left) == left)
  }

  @Test func `where places cannot be told apart, nothing of the string stays`() throws {
    // Taken out one after the other, so that marks touch.
    let whole = #""text":"secretcode and more","note":"kept""#
    let left = try taken(whole, ["secret", "code"])
    let body = String(decoding: again(whole, left), as: UTF8.self)
    #expect(!body.contains("secret") && !body.contains("code") && body.contains("kept"))
  }

  @Test func `what lacks words already loses those that it still has, and no more`() throws {
    let whole = #""text":"pin 4711 and word Quark, thanks","fields":{"a":"4711","b":"x"}"#
    let before = try taken(whole, ["4711"])
    let left = try taken(whole, ["4711", "Quark"])
    #expect(Redaction.between(before, and: left).count == 1)
    var body = before
    for words in Redaction.between(body, and: left) {
      body = words.entry(body, by: .init(9), salt: 1) ?? body
    }
    #expect(body == left)
    // The other way round nothing is left to do.
    #expect(Redaction.between(left, and: before).isEmpty)
    // Where each lacks what the other has, what goes is told by whole strings.
    let other = try taken(whole, ["Quark"])
    body = before
    for words in Redaction.between(body, and: other) {
      body = words.entry(body, by: .init(9), salt: 1) ?? body
    }
    #expect(!String(decoding: body, as: UTF8.self).contains("Quark"))
  }

  @Test func `a number that was taken out takes the values beside it along`() throws {
    let whole = #""text":"kept","fields":{"pin":1234,"name":"Jo","tries":3}"#
    let body = String(decoding: again(whole, try taken(whole, ["1234"])), as: UTF8.self)
    #expect(!body.contains("1234") && body.contains("\"tries\":") && body.contains("kept"))
  }

  @Test func `names that became alike are taken out again, and no value is lost`() throws {
    let whole = #""fields":{"4711":1,"order":2,"[removed]":3,"0815":4}"#
    let left = try taken(whole, ["4711", "0815"])
    #expect(
      String(decoding: left, as: UTF8.self).contains(
        #""fields":{"[removed]":1,"order":2,"[removed] (2)":3,"[removed] (3)":4}"#))
    let body = String(decoding: again(whole, left), as: UTF8.self)
    #expect(!body.contains("4711") && !body.contains("0815") && body.contains("\"order\":"))
  }

  @Test func `names that are ours stay, whatever is taken out`() throws {
    let whole =
      #""text":"text","fields":{"source":{"value":"a value","confidence":0.5,"source":"text"}}"#
    let left = String(decoding: try taken(whole, ["value", "text"]), as: UTF8.self)
    #expect(
      left.contains(
        #""text":"[removed]","fields":{"source":{"value":"a [removed]","confidence":0.5,"source":"[removed]"}}"#
      ), "\(left)")
    #expect(Redaction("fields")?.entry(entry(whole), by: .init(9), salt: 1) == nil)
  }

  @Test func `what is the same needs nothing`() {
    let body = entry(#""text":"[removed] is what they wrote""#)
    #expect(Redaction.between(body, and: body).isEmpty)
  }
}
