import Foundation
import Testing

@testable import MailCodec
@testable import Mime

/// Every byte here was written by Python's codecs.
struct `Text of every charset` {
  struct Sample: Sendable {
    var charset: String
    var base64: String
    var text: String
  }

  @Test(arguments: samples.map(\.charset))
  func `a body and a subject are read as browsers read them`(_ charset: String) throws {
    for sample in Self.samples where sample.charset == charset {
      let mail = MailUnderstanding(
        bytes: Array(
          """
          Subject: =?\(charset)?B?\(sample.base64)?=
          Content-Type: text/plain; charset=\(charset)
          Content-Transfer-Encoding: base64

          \(sample.base64)
          """.utf8))
      #expect(mail.own == sample.text)
      #expect(mail.subjectText == sample.text)
    }
  }

  @Test func `what cannot be read costs itself and nothing behind it`() throws {
    for (charset, bytes, text) in [
      ("windows-1255", [0xF9, 0xFF, 0xEC], "ש\u{FFFD}ל"),
      ("utf-16be", [0, 0x61, 0xDC, 0, 0, 0x62], "a\u{FFFD}b"),
      ("iso-2022-kr", [0x1B, 0x24, 0x29, 0x43, 0x0E, 0x22, 0x7E, 0x41, 0x56, 0x0F], "\u{FFFD}주"),
      ("shift_jis", [0x83], "\u{FFFD}"),
      ("iso-2022-jp", [0x1B, 0x24, 0x42, 0x2D], "-"),
      ("hz-gb-2312", Array("a~~b~".utf8), "a~b~"),
      ("no-such-charset", Array("grüße".utf8), "grüße"),
      ("cp-99999", [0x67, 0xFC], "gü"),
    ] as [(String, [UInt8], String)] {
      #expect(bytes.withUnsafeBufferPointer { Charsets.text($0, charset) } == text, "\(charset)")
    }
  }

  private func read(_ bytes: [UInt8], _ charset: String?) -> String {
    bytes.withUnsafeBufferPointer { Charsets.text($0, charset) }
  }

  @Test(arguments: ["utf-8", nil, "no-such-charset"])
  func `a wrong byte in UTF-8 costs itself and no other letter`(_ charset: String?) {
    let text = "Grüße aus München, 40 €"
    let bytes = Array(text.utf8)
    #expect(read(bytes + [0xFC] + Array("ro".utf8), charset) == text + "\u{FFFD}ro")
    #expect(read(Array(bytes.dropLast()), charset) == "Grüße aus München, 40 \u{FFFD}")
    // What the sender could not read, and says so.
    #expect(read(Array((text + "\u{FFFD}").utf8) + [0xFC], charset) == text + "\u{FFFD}\u{FFFD}")
    #expect(
      read([0x67, 0x72, 0xFC, 0xDF, 0x65], charset) == "grüße", "not one letter of it is UTF-8")
  }

  @Test(arguments: ["iso-8859-1", "gb2312", "windows-1251", "shift_jis", "big5", "koi8-r"])
  func `long UTF-8 is that under any other name`(_ charset: String) {
    for text in ["Grüße aus München – für 40 €", "灯坏了，请更换", "Где мой заказ"] {
      #expect(read(Array(text.utf8), charset) == text)
    }
    // A few letters may be chance: these two are a word in GBK.
    #expect(read([0xC1, 0xAA, 0xCD, 0xA8], "gb2312") == "联通")
  }

  @Test(arguments: ["iso-2022-jp", "hz-gb-2312", "euc-jp", "windows-1258", "big5", "utf-7"])
  func `any bytes at all are text`(_ charset: String) {
    var seed: UInt64 = 7
    for count in 1...400 {
      let bytes = (0..<count).map { _ in
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return [
          27, 36, 66, 40, 74, 73, 14, 126, 123, 0x8E, 0x8F, UInt8(truncatingIfNeeded: seed >> 33),
        ][
          Int(seed >> 60) % 12]
      }
      let text = bytes.withUnsafeBufferPointer { Charsets.text($0, charset) }
      #expect(text.utf8.count <= 8 * count)
    }
  }

  @Test func `every name of the table is one that iconv or we can read`() {
    for name in [
      "x-sjis", "gb_2312-80", "cp-850", "win-1251", "ibm-866", "x-cp1250", "windows_1252",
    ] {
      #expect(CharsetNames.iconv(name) != nil, "\(name)")
    }
    #expect(CharsetNames.iconv("cp-850") == "CP850" && CharsetNames.iconv("win-1251") == "CP1251")
    #expect(CharsetNames.iconv("windows-") == nil && CharsetNames.iconv("cp12/4") == nil)
  }

  static let samples: [Sample] = [
    Sample(charset: "windows-1255", base64: "+ezl7SDs6+Xs7Q==", text: "שלום לכולם"),
    Sample(charset: "windows-1258", base64: "eGluIGNo4G8g9Q==", text: "xin chào ơ"),
    Sample(charset: "shift_jis", base64: "ipSOronvjtCHQIeKIO7gi7Qgh4I1", text: "株式会社①㈱ 髙橋 №5"),
    Sample(charset: "x-sjis", base64: "g0qDXoNKg2mHQA==", text: "カタカナ①"),
    Sample(charset: "cp932", base64: "h4o=", text: "㈱"),
    Sample(charset: "euc-jp", base64: "w+3KuKTPpMmksw==", text: "注文はどこ"),
    Sample(charset: "x-euc-jp", base64: "w+3KuI6x", text: "注文ｱ"),
    Sample(charset: "gb2312", base64: "1uzpRrv5ILaptaU=", text: "朱镕基 订单"),
    Sample(charset: "gbk", base64: "lTSyNSC2qQ==", text: "𠮷 订"),
    Sample(charset: "gb_2312-80", base64: "tqm1pQ==", text: "订单"),
    Sample(charset: "x-gbk", base64: "tqm1pQ==", text: "订单"),
    Sample(charset: "hz-gb-2312", base64: "fntOUjVENik1JX59IDE3", text: "我的订单 17"),
    Sample(charset: "euc-kr", base64: "jGO55rCix88gwda5rg==", text: "똠방각하 주문"),
    Sample(charset: "ks_c_5601-1987", base64: "wda5riCMYw==", text: "주문 똠"),
    Sample(charset: "windows-949", base64: "wda5rg==", text: "주문"),
    Sample(charset: "iso-2022-kr", base64: "GyQpQw5BVjkuDyAOPm41cA8=", text: "주문 어디"),
    Sample(charset: "big5", base64: "p9qquq1xs+Y=", text: "我的訂單"),
    Sample(charset: "x-big5", base64: "rXGz5g==", text: "訂單"),
    Sample(charset: "big5-hkscs", base64: "rXGz5iCd9w==", text: "訂單 咗"),
    Sample(charset: "iso-8859-8-i", base64: "+ezl7Q==", text: "שלום"),
    Sample(charset: "iso-8859-8-e", base64: "+ezl7Q==", text: "שלום"),
    Sample(charset: "iso-8859-6-i", base64: "w+rm", text: "أين"),
    Sample(charset: "iso-8859-6-e", base64: "w+rm", text: "أين"),
    Sample(charset: "cp-850", base64: "Y2Fmgg==", text: "café"),
    Sample(charset: "ibm850", base64: "Y2Fmgg==", text: "café"),
    Sample(charset: "win-1251", base64: "z/Do4uXy", text: "Привет"),
    Sample(charset: "koi8-r", base64: "8NLJ18XU", text: "Привет"),
    Sample(charset: "koi8-u", base64: "8NLJ16bUIKc=", text: "Привіт ї"),
    Sample(charset: "x-mac-cyrillic", base64: "j/Do4uXy", text: "Привет"),
    Sample(charset: "macintosh", base64: "Y2Fmjg==", text: "café"),
    Sample(charset: "x-mac-roman", base64: "Y2Fmjg==", text: "café"),
    Sample(charset: "unicode-1-1-utf-7", base64: "R3IrQVB3QTN3LWU=", text: "Grüße"),
    Sample(charset: "utf-16", base64: "//5oAGUAbABsAG8A", text: "hello"),
    Sample(charset: "utf-16le", base64: "aABlAGwAbABvAA==", text: "hello"),
    Sample(charset: "iso-10646-ucs-2", base64: "//5oAGkA", text: "hi"),
    Sample(charset: "iso-8859-1", base64: "MTAggCCTcXVvdGVklA==", text: "10 € “quoted”"),
    Sample(charset: "us-ascii", base64: "MTAggCBjYWbp", text: "10 € café"),
    Sample(charset: "us-ascii", base64: "R3LDvMOfZQ==", text: "Grüße"),
    Sample(charset: "iso-8859-9", base64: "3XN0YW5idWwg8A==", text: "İstanbul ğ"),
    Sample(charset: "iso-8859-15", base64: "MTAgpA==", text: "10 €"),
    Sample(charset: "iso-8859-11", base64: "ysfRyrTV", text: "สวัสดี"),
    Sample(charset: "tis-620", base64: "ysfRyrTV", text: "สวัสดี"),
    Sample(charset: "windows-874", base64: "ysfRyrTV", text: "สวัสดี"),
    Sample(charset: "windows-1256", base64: "w+3kINjhyO0=", text: "أين طلبي"),
    Sample(charset: "utf8mb4", base64: "R3LDvMOfZSDwn5iA", text: "Grüße 😀"),
    Sample(charset: "x-user-defined", base64: "R3L832U=", text: "Grüße"),
    Sample(charset: "unknown", base64: "w7w=", text: "ü"),
    Sample(charset: "gb18030", base64: "ztK1xLaptaXU2sTEwO8=", text: "我的订单在哪里"),
    Sample(charset: "iso-2022-jp", base64: "GyRCQ21KOC0hLWobKEIgGyRCfGI2NhsoQg==", text: "注文①㈱ 髙橋"),
    Sample(charset: "iso-2022-jp", base64: "GyhJMRsoSTIbJEJDbUo4GyhC", text: "ｱｲ注文"),
    Sample(charset: "iso-2022-jp", base64: "GyhKXBsoQjE3GyhC", text: "￥17"),
    // JIS X 0212, which no code page of Windows has.
    Sample(charset: "iso-2022-jp-2", base64: "GyQoRDAhGyRCQ20bKEI=", text: "丂注"),
    Sample(charset: "euc-jp", base64: "j7Chw+0=", text: "丂注"),
  ]
}
