import Foundation
import Server

/// What the story came to: each handoff, and what was missing.
struct Ending {
  let tell: Narrator
  let proof: Proof
  let noted: [String]

  func tellAll() {
    tell.line()
    tell.line(tell.paint("Handoffs", .bold))
    tell.line()
    for handoff in proof.handoffs {
      let time = String(format: "%6.1f ms", handoff.milliseconds)
      let what = "\(handoff.by) to \(handoff.to)".padded(16)
      let entries = "\(handoff.entries) entries".padded(12)
      tell.line(
        "   \(what) \(time)   \(entries) \(handoff.isWhole ? "complete" : "NOT COMPLETE"): "
          + handoff.channels.joined(separator: ", "))
    }
    tell.line()
    for line in noted { tell.line(tell.paint("   the server noted: \(line)", .faint)) }
    if proof.missing.isEmpty {
      tell.good("Every step arrived, and every handoff carried everything.")
    } else {
      for what in proof.missing { tell.bad(what) }
    }
  }
}

/// How to go on by oneself.
struct TryYourself {
  let tell: Narrator
  let stage: Stage
  let settings: Settings

  func tellAll() {
    let url = "http://127.0.0.1:\(stage.http)"
    tell.line()
    tell.line(
      tell.paint("Try it", .bold)
        + ": the server stays up until Ctrl-C. Paste this into another terminal:")
    tell.line()
    tell.line(
      """
      U=\(url)
      BOT=\(stage.bot.token)
      ANN=\(stage.ann.token)
      CLEO=\(stage.cleo.token)
      SHOP=\(stage.shop.token)
      BOSS=\(stage.watcher.token)
      """)
    comment("Mani is back. What does the bot know?")
    tell.line(
      """
      S=$(curl -sw '\\n' $U/v1/sessions -H "Authorization: Bearer $BOT" -d '{"customer":{"identities":[
        {"kind":"email","value":"mani@music.example","assurance":"asserted"}]}}' |
        tee /dev/stderr | grep -o 'sess_[^"]*' | head -1)
      """)
    comment(
      "He says something; the bot hands over; Cleo, who spoke with him last, takes her next case and answers."
    )
    tell.line(
      """
      curl -sw '\\n' $U/v1/sessions/$S/messages -H "Authorization: Bearer $BOT" -d '{"author":"customer","text":"hi again"}'
      curl -sw '\\n' $U/v1/sessions/$S/handoff -H "Authorization: Bearer $BOT" -d '{"reason":"wants a human"}'
      C=$(curl -sw '\\n' -X POST "$U/v1/agents/me/next?wait=30" -H "Authorization: Bearer $CLEO" | tee /dev/stderr)
      O=$(grep -o 'offer_[^"]*' <<<"$C" | head -1) C=$(grep -o 'case_[^"]*' <<<"$C" | head -1)
      curl -sw '\\n' -X POST $U/v1/offers/$O/accept -H "Authorization: Bearer $CLEO"
      curl -sw '\\n' $U/v1/cases/$C/reply -H "Authorization: Bearer $CLEO" -d '{"text":"Hello again, Mani!"}'
      curl -sw '\\n' $U/v1/sessions/$S/events?after=0 -H "Authorization: Bearer $BOT"
      """)
    comment("Queues as people read them, everything as Prometheus does.")
    tell.line(
      """
      curl -sw '\\n' $U/v1/queues -H "Authorization: Bearer $BOSS"
      curl -sw '\\n' $U/metrics -H "Authorization: Bearer $BOSS"
      """)
    comment("A mail (package swaks), and the whole timeline.")
    let program = CommandLine.arguments.first ?? "throughline"
    tell.line(
      """
      swaks --server 127.0.0.1:\(stage.smtp) --from mani@music.example --to help@shop.example --body "thank you"
      \(program) timeline mani@music.example --data \(settings.data)
      """)
    tell.line()
  }

  private func comment(_ text: String) { tell.line(tell.paint("\n# " + text, .faint)) }
}
