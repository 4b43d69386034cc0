import PhoneNumbers
import Testing

struct `Phone numbers` {
  struct Form: CustomStringConvertible {
    var raw: String, region: String, e164: String?
    init(_ raw: String, _ region: String, _ e164: String?) {
      (self.raw, self.region, self.e164) = (raw, region, e164)
    }
    var description: String { "\(raw) in \(region)" }
  }

  static let forms: [Form] = [
    // North America: ten digits, with and without the 1, and every way to write them.
    Form("4155552671", "US", "+14155552671"), Form("(415) 555-2671", "US", "+14155552671"),
    Form("1-415-555-2671", "US", "+14155552671"), Form("14155552671", "US", "+14155552671"),
    Form("+1.415.555.2671", "DE", "+14155552671"), Form("4155550100", "US", "+14155550100"),
    Form("416-555-0123", "CA", "+14165550123"), Form("1-800-FLOWERS", "US", "+18003569377"),
    Form("011 44 20 7946 0018", "US", "+442079460018"),
    Form("+1 415 555 2671 ext. 23", "US", nil),
    Form("415-555-2671 x23", "US", nil),
    Form("tel:+1-415-555-2671;ext=23", "US", nil),
    // Great Britain.
    Form("020 7946 0018", "GB", "+442079460018"), Form("02079460018", "GB", "+442079460018"),
    Form("+44 (0)20 7946 0018", "GB", "+442079460018"),
    Form("0044 20 7946 0018", "GB", "+442079460018"),
    Form("07911 123456", "GB", "+447911123456"), Form("442079460018", "GB", "+442079460018"),
    // Germany: national numbers of many lengths, 00 to leave.
    Form("030 901820", "DE", "+4930901820"), Form("(030) 90 18 20", "DE", "+4930901820"),
    Form("0171 2345678", "DE", "+491712345678"), Form("0049 30 901820", "DE", "+4930901820"),
    Form("00442079460018", "DE", "+442079460018"), Form("+49-89-636-48018", "US", "+498963648018"),
    // France, Italy (whose zero stays), India, Austria, Brazil, Japan, Australia.
    Form("01 23 45 67 89", "FR", "+33123456789"), Form("06.12.34.56.78", "FR", "+33612345678"),
    Form("06 6982", "IT", "+39066982"), Form("02 1234 5678", "IT", "+390212345678"),
    Form("098765 43210", "IN", "+919876543210"), Form("9876543210", "IN", "+919876543210"),
    Form("0091 98765 43210", "GB", "+919876543210"), Form("01 58858", "AT", "+43158858"),
    Form("(11) 96123-4567", "BR", "+5511961234567"), Form("03-1234-5678", "JP", "+81312345678"),
    Form("(02) 9374 4000", "AU", "+61293744000"), Form("٠٢٠٧٩٤٦٠٠١٨", "GB", "+442079460018"),
    // As trunks send it: E.164 without the plus, and 00 where one dials 011.
    Form("442079460018", "US", "+442079460018"), Form("4930901820", "FR", "+4930901820"),
    Form("00442079460018", "US", "+442079460018"),
    Form("sip:+442079460018@10.0.0.5;user=phone", "US", "+442079460018"),
    Form("SIPS:442079460018@pbx.example", "US", "+442079460018"),
    Form("  +442079460018 ", "US", "+442079460018"),
    // Already E.164, in any region; as the captured talk has it: possible, not valid, and still one
    // identity.
    Form("+442079460018", "US", "+442079460018"), Form("+44207946001", "GB", "+44207946001"),
    // Nobody's.
    Form("anonymous", "US", nil), Form("unknown", "GB", nil), Form("Restricted", "US", nil),
    Form("private", "DE", nil),
    Form("asterisk", "US", nil), Form("", "US", nil), Form("+", "US", nil), Form("100", "US", nil),
    Form("100", "DE", nil), Form("2001", "GB", nil), Form("112", "DE", nil), Form("911", "US", nil),
    Form("555-0100", "US", nil), Form("+999 123 456", "US", nil), Form("+44", "GB", nil),
    Form("123456789012345678901", "US", nil), Form("sip:ann@shop.example", "US", nil),
    Form("ann@shop.example", "US", nil), Form("+44 20 7946 0018\n", "GB", "+442079460018"),
    Form("4155552671", "ZZ", nil), Form("4155552671", "", nil),
    Form("+14155552671", "ZZ", "+14155552671"),
  ]

  @Test(arguments: forms) func `become E.164, or nobody's`(_ form: Form) {
    #expect(PhoneNumbers.e164(form.raw, defaultRegion: form.region) == form.e164)
  }

  @Test(arguments: forms) func `are E.164 for good`(_ form: Form) {
    guard let number = PhoneNumbers.e164(form.raw, defaultRegion: form.region) else { return }
    #expect(PhoneNumbers.e164(number, defaultRegion: "FR") == number)
  }

  @Test(arguments: [
    ("0000000000", "US"), ("1111111111", "US"), ("5555555555", "US"), ("9999999999", "US"),
    ("8888888888", "US"), ("1234567890", "US"), ("+10123456789", "US"), ("+12345678", "DE"),
    ("+15550000000", "US"), ("+4900000000000", "US"), ("+440000000000", "US"),
    ("+33000000000", "US"), ("+33100000000", "FR"), ("+493000000000", "DE"),
    ("+441234567890", "US"), ("77777777777", "US"), ("0123456789", "FR"), ("9999999999", "IN"),
  ]) func `of nobody are told from somebody's`(_ raw: String, _ region: String) {
    if let number = PhoneNumbers.e164(raw, defaultRegion: region) {
      #expect(PhoneNumbers.isPlaceholder(number), "\(number)")
    }
  }

  @Test func `of somebody are theirs, whatever they look like`() {
    // 01 23 45 67 89, with which France tries things, is counted up.
    for number in Self.forms.compactMap(\.e164).filter({ $0 != "+33123456789" }) + [
      "+15551234567", "+12345678901", "+18005551212", "+12025550100", "+390669812345",
      "+2250102030405", "+4930000000",
      "+6562345678",
    ] {
      #expect(!PhoneNumbers.isPlaceholder(number), "\(number)")
    }
  }

  @Test func `show nationally at home and internationally abroad`() {
    #expect(PhoneNumbers.display("+442079460018", in: "GB") == "020 7946 0018")
    #expect(PhoneNumbers.display("+442079460018", in: "US") == "+44 20 7946 0018")
    #expect(PhoneNumbers.display("+14155552671", in: "US") == "(415) 555-2671")
    #expect(PhoneNumbers.display("anonymous", in: "US") == "anonymous")
    #expect(PhoneNumbers.display("", in: "US") == "")
  }

  @Test func `know where they belong`() {
    #expect(PhoneNumbers.region(of: "+442079460018") == "GB")
    #expect(PhoneNumbers.region(of: "+4930901820") == "DE")
    #expect(PhoneNumbers.region(of: "nobody") == nil)
  }

  @Test func `tell a region that exists from one that does not`() {
    #expect(PhoneNumbers.knows(region: "IN"))
    #expect(!PhoneNumbers.knows(region: "UK"))
    #expect(!PhoneNumbers.knows(region: ""))
  }

  @Test func `survive bytes that are no number`() {
    var seed: UInt64 = 0x5EED
    for _ in 0..<2_000 {
      var text = ""
      for _ in 0..<(seed % 40) {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text.unicodeScalars.append(
          Unicode.Scalar(UInt32(truncatingIfNeeded: seed >> 33) % 0xD7FF) ?? "0")
      }
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      if let number = PhoneNumbers.e164(text, defaultRegion: "US") {
        #expect(number.hasPrefix("+"))
      }
    }
    #expect(PhoneNumbers.e164(String(repeating: "4", count: 100_000), defaultRegion: "US") == nil)
    // C would stop at the NUL and see another number.
    #expect(PhoneNumbers.e164("+442079460018\0", defaultRegion: "GB") == nil)
  }

  @Test func `are read on many threads at once`() async {
    let answers = await withTaskGroup(of: [String?].self) { group in
      for _ in 0..<8 {
        group.addTask { Self.forms.map { PhoneNumbers.e164($0.raw, defaultRegion: $0.region) } }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.allSatisfy { $0 == Self.forms.map(\.e164) })
  }
}
