import ArgumentParser
import Foundation
import Server

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Check a data folder that no server holds: every checksum, the chain, and that it starts "
      + "as its log says."
  )
  @OptionGroup var options: SettingsOptions
  @Flag(
    name: .long,
    help: "First make the indexes anew from the rows: for what is damaged in an index alone.")
  var reindex = false

  func run() async throws {
    let folder = try options.settings().data
    let check: FolderCheck
    do {
      if reindex {
        try FolderCheck.reindex(folder)
        print("\(folder): the indexes are made anew")
      }
    } catch {
      FileHandle.standardError.write(
        Data("throughline cannot make the indexes of \(folder) anew: \(error)\n".utf8))
      throw ExitCode(2)
    }
    do { check = try FolderCheck(folder) } catch {
      FileHandle.standardError.write(Data("throughline cannot check \(folder): \(error)\n".utf8))
      throw ExitCode(2)
    }
    print(
      "\(folder): \(check.workspaces.count) workspaces, \(check.records) log records, \(check.entries) entries"
    )
    for finding in check.findings { print("  \(finding)") }
    print(check.findings.isEmpty ? "all is well" : "\(check.findings.count) findings")
    if check.mayBeAnIndex, !reindex {
      print(
        "where an index alone is damaged, it can be made anew from the rows: "
          + "throughline doctor --reindex --data \(folder)")
    }
    if !check.findings.isEmpty { throw ExitCode(1) }
  }
}
