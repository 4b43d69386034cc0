import Foundation
import Rules
import Testing

struct `Tags of languages` {
  @Test(arguments: [
    ("de", "de"), ("DE", "de"), ("De", "de"), ("pt_br", "pt-BR"), ("PT-br", "pt-BR"),
    ("zh-hANT-tw", "zh-Hant-TW"), ("ZH_hans", "zh-Hans"), ("es-419", "es-419"),
    ("de-CH-1996", "de-CH-1996"), ("en-US-x-TWAIN", "en-US-x-twain"), ("GSW", "gsw"),
    // What is no tag says something else, and stays.
    ("German", "German"), ("Deutsch", "Deutsch"), ("", ""), ("D", "D"), ("de-", "de-"),
    ("DE DE", "DE DE"), ("dé", "dé"), ("de_DE.UTF-8", "de_DE.UTF-8"), ("d1", "d1"),
    ("de-toolongsubtag", "de-toolongsubtag"),
    ("de-1234567-1234567-1234567-1234567-1", "de-1234567-1234567-1234567-1234567-1"),
  ])
  func `have one spelling`(_ told: String, _ canonical: String) {
    #expect(LanguageTag.canonical(told) == canonical)
    #expect(LanguageTag.canonical(canonical) == canonical)
  }

  @Test func `have codes of two letters that are known`() {
    let codes = Locale.LanguageCode.isoLanguageCodes.map(\.identifier).filter { $0.utf8.count == 2 }
    #expect(codes.count > 150)
    for code in codes { #expect(!LanguageTag.isUnknown(code), "\(code)") }
    for told in ["jp", "on", "xx", "zz_ZZ"] { #expect(LanguageTag.isUnknown(told), "\(told)") }
    for told in ["gsw", "German", "", "de-XX", "iw"] {
      #expect(!LanguageTag.isUnknown(told), "\(told)")
    }
    #expect(LanguageTag.meant(by: "JP") == "ja" && LanguageTag.meant(by: "de") == nil)
  }

  @Test func `fall back to what they are a kind of`() {
    #expect(LanguageTag.fallbacks("zh_hant_tw") == ["zh-Hant-TW", "zh-Hant", "zh"])
    #expect(LanguageTag.fallbacks("DE") == ["de"])
    #expect(LanguageTag.fallbacks("en-US-x-twain") == ["en-US-x-twain", "en-US", "en"])
    #expect(LanguageTag.fallbacks("German") == ["German"])
  }

  @Test(arguments: [
    ("de", "german"), ("DE", "german"), ("de_AT", "german"), ("pt-BR", "brazilian"),
    ("pt-br-x-y", "brazilian"), ("pt-PT", nil), ("pt", nil), ("fr", nil), ("German", nil),
  ])
  func `find the skill whose language is spoken`(_ told: String, _ skill: String?) throws {
    var german = SkillConfiguration(name: "german")
    german.language = "de"
    var brazilian = SkillConfiguration(name: "brazilian")
    brazilian.language = "pt_br"
    let rule = Rule(
      name: "all", when: nil, outcome: .route(Plan(queue: "support")), language: .required)
    let set = try RuleSet(version: "1", rules: [rule], skills: [german, brazilian])
    var facts = Facts()
    var fields = CollectedFields()
    fields.take("language", .string(told))
    facts.setCollected(fields)
    guard case .route(let plan) = set.evaluate(facts).outcome else {
      Issue.record("no plan")
      return
    }
    #expect(plan.requiredSkills.map(\.name) == (skill.map { [$0] } ?? []))
  }
}
