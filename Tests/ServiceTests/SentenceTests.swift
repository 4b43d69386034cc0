import Model
import Pipeline
import Routing
import Service
import Testing

/// A refusal is read by an agent on their screen, and by programs.
struct `What a refusal says` {
  @Test func `each refusal is told in a sentence of its own that a person can act on`() {
    var seen: [String: Rejection] = [:]
    for rejection in Rejection.allCases {
      let problem = APIProblem(rejection, owner: nil, epoch: nil)
      let detail = problem.detail
      let words = detail.split(separator: " ")
      #expect(words.count >= 4, "\(rejection): \(detail)")
      #expect(detail.utf8.count <= 160, "\(rejection): \(detail)")
      #expect(!detail.contains("\(rejection)"), "\(rejection): \(detail)")
      #expect(detail.first?.isUppercase == false && detail.last != ".", "\(rejection): \(detail)")
      if let other = seen.updateValue(rejection, forKey: detail) {
        Issue.record("\(rejection) says what \(other) says: \(detail)")
      }
    }
  }

  @Test func `whoever does not own a conversation is told who does`() {
    for (kind, words) in [
      (OwnerView.Kind.agent, "agent ann owns"), (.queue, "waits in queue ann"),
      (.bot, "bot ann owns"),
    ] {
      let problem = APIProblem(.notOwner, owner: OwnerView(kind: kind, name: "ann"), epoch: 7)
      #expect(problem.detail.contains(words), "\(problem.detail)")
      #expect(problem.epoch == 7)
    }
  }
}
