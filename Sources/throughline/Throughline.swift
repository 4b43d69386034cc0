import ArgumentParser

@main
struct Throughline: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "throughline",
    abstract: "An omnichannel conversation router: bots, mail and calls reach a human who already knows everything.",
    subcommands: [
      Serve.self, Demo.self, Token.self, Timeline.self, Explain.self, Mail.self, Phone.self, Reload.self, Doctor.self,
      Bench.self, Simulate.self, RuleFolder.self, Cel.self,
    ])
}
