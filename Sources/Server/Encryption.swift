import Model
import Sockets

/// The certificates of `tls.certificates`, as HTTPS and mail show them.
///
/// Two identities of the same files: HTTPS agrees on `http/1.1` and refuses whoever only speaks
/// something else, mail has no such names (RFC 7301).
final class Encryption: Sendable {
  let https: TLSIdentity
  let mail: TLSIdentity

  init?(_ settings: Settings) throws {
    let certificates = Self.certificates(settings.tlsCertificates)
    guard !certificates.isEmpty else { return nil }
    var options = TLSIdentity.Options()
    options.minimum = settings.tlsMinimum == "1.3" ? .v13 : .v12
    mail = try TLSIdentity(certificates, options)
    options.protocols = ["http/1.1"]
    https = try TLSIdentity(certificates, options)
  }

  /// `chain:key`, or one file with both, separated by commas.
  static func certificates(_ text: String) -> [TLSIdentity.Certificate] {
    text.split(separator: ",").compactMap { pair in
      let files = pair.split(separator: ":", maxSplits: 1).map { String($0).trimmingSpaces }
      guard let chain = files.first, !chain.isEmpty else { return nil }
      return .init(chain: chain, key: files.count > 1 ? files[1] : chain)
    }
  }

  /// Reads the files again. Nil, or why what was shown before stays, on HTTPS as for mail.
  func reload() -> String? {
    do throws(TLSFault) {
      let (forHTTPS, forMail) = (try https.readAgain(), try mail.readAgain())
      https.show(forHTTPS)
      mail.show(forMail)
      Log.note(
        "certificates: read again, the first to end does so at \(Instant(milliseconds: https.expirySeconds * 1_000))"
      )
      return nil
    } catch { return error.description }
  }
}
