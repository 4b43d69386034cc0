import Routing

/// Runs worlds, and narrows down what is wrong with one.
public enum Simulator {
  /// - Throws: what was found wrong, not narrowed down.
  /// - Parameters:
  ///   - trace: hears everything that happens, a line each.
  ///   - watch: what must hold beside: says of an event that is on disk what is wrong with it.
  public static func run(
    _ settings: WorldSettings, trace: ((String) -> Void)? = nil,
    watch: ((Event) -> String?)? = nil
  ) throws(WorldFailure) -> WorldOutcome {
    let world = World(settings)
    world.trace = trace
    world.ledger.watch = watch
    for step in 0..<settings.steps {
      let goesOn = world.step()
      world.outcome.steps = step + 1
      if let wrong = world.wrong {
        throw WorldFailure(sentence: wrong, step: step + 1, settings: settings)
      }
      if !goesOn { break }
    }
    world.comeToRest()
    if let wrong = world.wrong {
      throw WorldFailure(sentence: wrong, step: settings.steps, settings: settings)
    }
    return world.outcome
  }

  /// A smaller world that fails too: fewer steps, fewer kinds of faults, fewer people. What fails
  /// in it may be another thing than what failed in the first; it is told as found.
  public static func shrink(
    _ failure: WorldFailure, tries: Int = 200, watch: ((Event) -> String?)? = nil
  ) -> WorldFailure {
    var best = failure
    var left = tries
    func attempt(_ change: (inout WorldSettings) -> Void) {
      guard left > 0 else { return }
      var smaller = best.settings
      change(&smaller)
      guard smaller != best.settings else { return }
      left -= 1
      do throws(WorldFailure) { _ = try run(smaller, watch: watch) } catch { best = error }
    }
    attempt { $0.steps = min($0.steps, best.step) }
    for fault in WorldSettings.Fault.allCases { attempt { $0.faults.remove(fault) } }
    for _ in 0..<4 {
      attempt { $0.contactsMax = max(1, $0.contactsMax / 2) }
      attempt { $0.peopleMax = max(1, $0.peopleMax / 2) }
      attempt { $0.agentsMax = max(1, $0.agentsMax / 2) }
      attempt { $0.steps = min($0.steps, best.step) }
    }
    return best
  }
}
