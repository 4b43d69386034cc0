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

  func run() async throws {
    let folder = try options.settings().data
    let check: FolderCheck
    do { check = try FolderCheck(folder) } catch {
      FileHandle.standardError.write(Data("throughline cannot check \(folder): \(error)\n".utf8))
      throw ExitCode(2)
    }
    print(
      "\(folder): \(check.workspaces.count) workspaces, \(check.records) log records, \(check.entries) entries"
    )
    for finding in check.findings { print("  \(finding)") }
    print(check.findings.isEmpty ? "all is well" : "\(check.findings.count) findings")
    if !check.findings.isEmpty { throw ExitCode(1) }
  }
}
