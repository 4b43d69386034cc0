import Foundation

/// Act 4: a call. Ann has gone home, so that it reaches somebody who has never spoken with this
/// customer.
extension Story {
  func calls() throws {
    tell.act(4, "In the end, \(customer) calls")
    _ = try stage.ann.done("PUT", "/v1/agents/me/status", ["status": "offline"])
    let desk = try Desk(port: stage.http, token: stage.cleo.token)
    _ = try desk.next("ready")
    try untilReady(1, in: "returns", for: "phone")
    tell.happens("Ann has gone home; Cleo sits at her desk, phone PJSIP/agent3 beside her")
    proof.expect("call", "phone", "system")
    var isMusicOn = false
    var bridged = false
    var served = false
    var aCase = ""
    let watch = Stopwatch()
    let call = Asterisk.Call(from: callerNumber, name: customer, to: "+18005551212")
    try stage.asterisk.call(call) { happening in
      switch happening {
      case .music where isMusicOn: break  // on again after the call, until the router lets it go
      case .music:
        isMusicOn = true
        tell.happens(
          "Asterisk asks over FastAGI; \(callerNumber) is \(phone); \(customer) hears music")
      case .rings(let device):
        let ringing = try desk.next("ringing")
        let took = watch.milliseconds
        tell.happens("\(device) rings")
        let object = try received(ringing, by: "Cleo", how: "phone", after: took, showsAll: true)
        aCase = object["case"] as? String ?? ""
        tell.happens("all this before Cleo picks up")
      case .bridged:
        bridged = true
        proof.expect("accepted", "–", "agent")
        tell.happens("Cleo picks up; the offer is accepted, and only then the two are connected")
        talk(Dialogue.call.words)
      case .refused: proof.lacks("Cleo's phone was picked up, and the router refused to connect it")
      case .hungUp: tell.happens("\(customer) hangs up")
      case .served(let end):
        served = true
        require(end == "served", "the router says \"\(end)\" of a call that was served")
      }
    }
    require(bridged, "the caller was never connected")
    require(served, "the router never let the call go")
    try after(aCase)
  }

  /// Spoken words: Throughline carries the call and what is known, not the sound.
  private func talk(_ words: [String]) {
    says(words.prefix(2).joined(separator: ", "), "phone")
    tell.says(
      "Cleo", "phone",
      "Hello Mani, this is Cleo. You wrote about the double charge: it is on its way back.",
      .business)
    says(words.dropFirst(2).prefix(1).joined(), "phone")
    tell.says(
      "Cleo", "phone", "You have it by Friday; and your other nineteen keyboards, are they well?",
      .business)
    says(words.dropFirst(3).joined(separator: ", "), "phone")
  }

  private func after(_ aCase: String) throws {
    let closed = try stage.cleo.call("POST", "/v1/cases/\(aCase)/close")
    require(
      closed.status < 300 || closed.status == 409,
      "Cleo cannot close the case: \(APIClient.sentence(closed))"
    )
    let last = try stage.cleo.done("GET", "/v1/cases/\(aCase)")
    let timeline = try ReceivedTimeline(in: last.bytes)
    if !proof.judge(timeline, of: customer) { tell.bad("in the end the timeline is not complete") }
    let channels = timeline.channels.joined(separator: ", ")
    tell.line()
    tell.line(
      "   In the end: \(timeline.entries.count) entries on \(channels), one timeline, one customer."
    )
  }
}
