import Foundation
import Model
import Testing

@testable import Service

struct ManyConversationsTests {
  @Test(
    "an open matter is found, and its agent hears of a merge, however many matters came after it")
  func open() throws {
    let shop = try Shop()
    let jo = "jo@home.example"
    let first = try shop.mail(from: jo, subject: "My lamp", id: "0@home.example", "it is dark")
    let offer = try shop.takes(shop.ann)
    #expect(offer.string("conversation") == first.conversation.description)
    for n in 1...55 {
      try shop.mail(from: jo, subject: "Matter \(n)", id: "\(n)@home.example", "another")
      let other = try shop.takes(shop.bob)
      #expect(
        try shop.call("POST", "/v1/cases/\(other.string("case") ?? "")/close", by: shop.bob).status
          == 200)
    }
    try shop.restart()
    let more = try shop.mail(from: jo, subject: "My lamp", id: "99@home.example", "still dark")
    #expect(more.conversation == first.conversation)
    let kim = try shop.open([("email", "kim@home.example")])
    let customer = try #require(offer.string("customer", "id"))
    try shop.call("POST", "/v1/customers/\(customer)/merge", ["with": kim.customer], by: shop.boss)
    let entries = try shop.reader.transcript(
      shop.workspace, whole: first.conversation, visible: .internal)
    #expect(
      entries.contains { String(decoding: $0.body ?? [], as: UTF8.self).contains(#""merged""#) })
  }
}
