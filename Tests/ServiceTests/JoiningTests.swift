import Foundation
import Model
import Testing

/// An agent says that two conversations are one matter, or two after all.
struct JoiningTests {
  @Test(
    "what comes to a conversation that was joined goes on in the other; taken apart, it has its own thread again"
  )
  func joins() throws {
    let shop = try Shop()
    let lamp = try shop.mail(
      from: "jo@home.example", subject: "Lamp", id: "1@home.example", "broken")
    let bill = try shop.mail(
      from: "jo@home.example", subject: "Bill", id: "2@home.example", "for the lamp")
    #expect(lamp.conversation != bill.conversation)
    _ = try shop.takes(shop.ann)
    let join = ["with": "\(bill.conversation)", "reason": "the same lamp"]
    #expect(
      try shop.call("POST", "/v1/conversations/\(lamp.conversation)/join", join, by: shop.ann)
        .status == 201)
    let page = try shop.call("GET", "/v1/conversations/\(lamp.conversation)", by: shop.ann)
    #expect(page.json["joins"] as? [String] == ["\(bill.conversation)"])
    #expect(shop.pipeline.router.conversation(bill.conversation) == nil)
    let answer = try shop.mail(
      from: "jo@home.example", subject: "Re: Bill", id: "3@home.example",
      inReplyTo: "2@home.example", "and?")
    #expect(answer.conversation == lamp.conversation)
    #expect(
      try shop.call("POST", "/v1/conversations/\(lamp.conversation)/join", join, by: shop.ann)
        .status == 409)
    let part = ["from": "\(bill.conversation)"]
    #expect(
      try shop.call("POST", "/v1/conversations/\(lamp.conversation)/part", part, by: shop.ann)
        .status == 201)
    #expect(
      try shop.call("POST", "/v1/conversations/\(lamp.conversation)/part", part, by: shop.ann)
        .status == 409)
    let again = try shop.mail(
      from: "jo@home.example", subject: "Re: Bill", id: "4@home.example",
      inReplyTo: "2@home.example", "hello?")
    #expect(again.conversation == bill.conversation)
  }

  @Test("conversations of two customers, and one in which somebody still sits, are not joined")
  func refuses() throws {
    let shop = try Shop()
    let jo = try shop.open([("email", "jo@home.example")])
    let kim = try shop.open([("email", "kim@home.example")])
    try shop.handsOver(jo)
    _ = try shop.takes(shop.ann)
    let other = try shop.call(
      "POST", "/v1/conversations/\(jo.conversation)/join", ["with": kim.conversation], by: shop.ann)
    #expect(other.string("type")?.hasSuffix("not-same-customer") == true)
    try shop.call(
      "POST", "/v1/customers/\(jo.customer)/merge", ["with": kim.customer], by: shop.ann)
    let live = try shop.call(
      "POST", "/v1/conversations/\(jo.conversation)/join", ["with": kim.conversation], by: shop.ann)
    #expect(live.string("type")?.hasSuffix("conversation-live") == true)
    try shop.leaves(kim)
    #expect(
      try shop.call(
        "POST", "/v1/conversations/\(jo.conversation)/join", ["with": kim.conversation],
        by: shop.ann
      ).status == 201)
  }
}
