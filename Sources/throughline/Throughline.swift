import ArgumentParser
import Foundation
import Glibc
import Server

@main
struct Throughline: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "throughline",
    abstract:
      "An omnichannel conversation router: bots, mail and calls reach a human who already knows everything.",
    version: "0.1",
    subcommands: [
      Serve.self, Demo.self, Token.self, Timeline.self, Explain.self, Mail.self, Phone.self,
      Reload.self,
      Doctor.self, Backup.self, Restore.self, Export.self, Erase.self, Erasures.self, Accesses.self,
      Bench.self, Simulate.self, RuleFolder.self, Cel.self,
    ])

  static func main() async {
    if let complaint = UnknownCommand.complaint(CommandLine.arguments.dropFirst()) {
      FileHandle.standardError.write(Data((complaint + "\n").utf8))
      Glibc.exit(64)  // EX_USAGE, as for every other mistake on the command line
    }
    await main(nil)
  }
}

/// A word where a command is expected: which ones there are, and the nearest. The argument parser
/// says only that the word is unexpected.
enum UnknownCommand {
  static func complaint(_ arguments: some Sequence<String>) -> String? {
    var command: any ParsableCommand.Type = Throughline.self
    var path = Throughline._commandName
    for word in arguments {
      let known = command.configuration.subcommands
      if known.isEmpty || word.hasPrefix("-") || word == "help" { return nil }
      guard let next = known.first(where: { $0._commandName == word }) else {
        let names = known.map { $0._commandName }
        return "Error: \(path) has no command \"\(word)\"\(Settings.hint(word, names))\n"
          + "It has \(names.joined(separator: ", ")). See `\(path) --help`."
      }
      command = next
      path += " " + word
    }
    return nil
  }
}
