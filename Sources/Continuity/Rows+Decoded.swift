import Records
import Wire

// What rows hold as bytes. Nil where they cannot be read: the integrity check tells of it.

extension CustomerRow {
  public var decodedProfile: CustomerProfile? {
    do throws(WireError) { return try CustomerProfile(decoding: profile) } catch { return nil }
  }
}

extension IdentityRow {
  public var decodedEvidence: Evidence? {
    do throws(WireError) { return try Evidence(decoding: evidence, assurance: assurance) } catch {
      return nil
    }
  }

  /// Whether an agent said that it is several people's: then it names none of them.
  public var isShared: Bool { decodedEvidence?.standing == .shared }
}
