import Foundation
import Model
import Records
import Synchronization
import Testing

@testable import Service

/// An answer to a search is made whole in memory, and is bounded as a page of a timeline is.
struct SearchBoundTests {
  /// Four customers, each with a purchase whose detail is one long word.
  private func shop(of bytes: Int) throws -> Shop {
    let shop = try Shop()
    for number in 1...4 {
      let detail = "needle\(number)" + String(repeating: "x", count: bytes)
      let told = try shop.call(
        "POST", "/v1/journey",
        [
          "event": "bought", "detail": detail,
          "identities": [shop.identity("email", "c\(number)@home.example")],
        ], by: shop.till)
      #expect(told.status == 201)
    }
    while try !shop.store.index(shop.workspace, limit: 500, words: SearchText.words) {}
    return shop
  }

  @Test("long finds come in short pages that miss none, and only what was shown is on record")
  func pages() throws {
    let shop = try shop(of: 400_000)
    let read = Mutex<[CustomerID?]>([])
    shop.api.recordAccess = { rows, _ in read.withLock { $0 += rows.map(\.customer) } }
    var found: [Int] = []
    var before: Int?
    repeat {
      let page = try shop.call(
        "GET", "/v1/search?q=bought&limit=20" + (before.map { "&before=\($0)" } ?? ""),
        by: shop.ann)
      let hits = page.list("hits")
      #expect(
        page.status == 200 && !hits.isEmpty && page.text.utf8.count < PageBound.bytesMax * 5 / 4)
      found += hits.entries.compactMap { $0["entry"] as? Int }
      let customers = hits.compactMap { $0["customer"] as? String }
      #expect(Set(read.withLock { $0 }.compactMap { $0?.description }) == Set(customers))
      read.withLock { $0 = [] }
      before = page.number("older")
    } while before != nil
    #expect(found == [4, 3, 2, 1])
  }

  @Test("one find is shown however long it is, and its excerpt is short")
  func longWord() throws {
    let shop = try shop(of: 2_000_000)
    let page = try shop.call("GET", "/v1/search?q=needle3*&limit=20", by: shop.ann)
    let pieces = try #require(page.list("hits").first?["excerpt"] as? [[String: Any]])
    let texts = pieces.compactMap { $0["text"] as? String }
    #expect(page.list("hits").count == 1)
    #expect(texts.joined().count < 2_000 && texts.joined().contains("needle3x"))
    #expect(pieces.contains { $0["match"] as? Bool == true })
  }
}

extension [[String: Any]] {
  fileprivate var entries: [[String: Any]] { compactMap { $0["entry"] as? [String: Any] } }
}
