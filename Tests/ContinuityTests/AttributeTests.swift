import Continuity
import Model
import Testing

/// What several sources say of a customer, each when it said so.
struct AttributeTests {
  private func said(_ value: String, _ source: String, _ at: Int64, _ name: String = "tier")
    -> CustomerProfile.Attribute
  {
    .init(name: name, text: value, source: source, at: Instant(milliseconds: at))
  }

  @Test func `who says the same again has said it last`() {
    var profile = CustomerProfile()
    for word in [said("gold", "shop", 1), said("silver", "bot", 2), said("gold", "shop", 3)] {
      profile.set(word)
    }
    #expect(profile.newest("tier")?.source == "shop")
    #expect(profile.attributes.count == 2)
  }

  @Test func `an event that comes late takes nothing back that its source said since`() {
    var profile = CustomerProfile()
    profile.set(said("gold", "shop", 9))
    profile.set(said("none", "shop", 3))
    #expect(profile.attributes == [said("gold", "shop", 9)])
    profile.set(.init(name: "tier", value: [], source: "shop", at: Instant(milliseconds: 5)))
    #expect(profile.attributes.count == 1)
    profile.set(.init(name: "tier", value: [], source: "shop", at: Instant(milliseconds: 9)))
    #expect(profile.attributes.isEmpty)
  }

  @Test func `where there is no room, what was said longest ago gives way to what is said now`() {
    var profile = CustomerProfile()
    for n in 0..<CustomerProfile.attributesMax {
      profile.hear(said("\(n)", "shop", Int64(100 + n), "a\(n)"))
    }
    let isTaken = profile.set(said("x", "agent:ann", 900))
    #expect(!isTaken)
    profile.hear(said("x", "shop", 900))
    #expect(profile.attributes.count == CustomerProfile.attributesMax)
    #expect(profile.newest("tier") != nil && profile.newest("a0") == nil)
    // Late, and older than all that is there.
    profile.hear(said("y", "shop", 1, "late"))
    #expect(profile.newest("late") == nil && profile.newest("a1") != nil)
  }
}
