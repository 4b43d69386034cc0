// The lines that the machines here send. Their words are ours or of a checked type.

extension AGICommand {
  static let channelStatus = AGICommand(trusted: "CHANNEL", "STATUS")

  static func music(_ musicClass: AGISound) -> AGICommand {
    AGICommand(trusted: "SET", "MUSIC", "ON", musicClass.description)
  }

  static func variable(_ name: String) -> AGICommand {
    AGICommand(trusted: "GET", "VARIABLE", name)
  }

  static func set(_ name: String, to value: String) -> AGICommand {
    AGICommand(trusted: "SET", "VARIABLE", name, value)
  }

  static func end(_ ending: AGIEnding) -> AGICommand { set("THROUGHLINE_END", to: ending.rawValue) }

  static func play(_ announcement: AGIAnnouncement) -> AGICommand {
    switch announcement {  // no digit interrupts: the empty list of escape digits must be there
    case .sound(let sound): AGICommand(trusted: "STREAM", "FILE", sound.description, "")
    case .number(let number): AGICommand(trusted: "SAY", "NUMBER", String(number), "")
    }
  }

  /// `g`: the caller's dialplan goes on when the agent hangs up. `m`: music goes on while it rings;
  /// dialling would stop it. `U`: the answered device runs `tl-offer` before it is bridged.
  static func dial(_ ring: AGIRing) -> AGICommand {
    AGICommand(
      trusted: "EXEC", "Dial", "\(ring.device),\(ring.timeoutSeconds),gmU(tl-offer^\(ring.offer))")
  }
}
