import Model

/// Agents who could be offered something and found nothing, found by what a case needs: the longest
/// idle first.
///
/// Every agent has a **position**; whoever becomes idle later has a higher one, so that the first
/// set bit of a conjunction is the longest idle. One bit column for each channel and queue, and
/// four for each skill, which hold its level as a binary number, so that 64 levels are compared at
/// once; only listed agents have bits. A second bit row per column tells which words are not empty.
/// Positions are given out rising and are renumbered when they run out, which costs about as much
/// as the positions given out since.
struct IdleIndex: Sendable {
  private var words = 0
  private var bits: [UInt64] = []  // column × words; channels, then queues
  /// skill × words × 4: the four bits of the level lie together, in half a cache line.
  private var levels: [UInt64] = []
  private var summaryWords = 0
  private var summary: [UInt64] = []  // column × summaryWords
  private var skillCount = 0
  private var queueCount = 0
  private var positionOf: [Int32] = []
  private var agentAt: [Int32] = []
  private var tail = 0
  private var listed: [UInt8] = []  // channels, by agent
  private(set) var countByChannel: [Int] = [0, 0, 0]

  init() {}

  /// - Parameter order: all agents, the longest idle first.
  /// - Parameter isFixed: whether nobody moves, so that no places are kept for it.
  init(skills: Int, queues: Int, agents: Int, order: [Int32], isFixed: Bool = false) {
    skillCount = skills
    queueCount = queues
    let positions = isFixed ? max(64, agents) : max(128, 3 * agents)
    words = (positions + 63) / 64
    summaryWords = (words + 63) / 64
    bits = Array(repeating: 0, count: words * (3 + queues))
    levels = Array(repeating: 0, count: words * 4 * skills)
    summary = Array(repeating: 0, count: summaryWords * (3 + skills + queues))
    positionOf = Array(repeating: -1, count: agents)
    agentAt = Array(repeating: -1, count: words * 64)
    listed = Array(repeating: 0, count: agents)
    for agent in order {
      positionOf[Int(agent)] = Int32(truncatingIfNeeded: tail)
      agentAt[tail] = agent
      tail += 1
    }
  }

  func channels(_ agent: Int) -> UInt8 { listed[agent] }

  /// Lists the agent for these channels, and for no others.
  mutating func list(_ agent: Int, _ channels: UInt8, _ profiles: Profiles) {
    let old = listed[agent]
    guard old != channels else { return }
    let position = Int(positionOf[agent])
    for channel in 0..<3 {
      let bit = UInt8(1) << UInt8(channel)
      if old & bit == channels & bit { continue }
      put(channel, position, channels & bit != 0)
      countByChannel[channel] += channels & bit != 0 ? 1 : -1
    }
    if old == 0 || channels == 0 { putProfile(agent, position, channels != 0, profiles) }
    listed[agent] = channels
  }

  /// The agent goes to the end: the shortest idle.
  mutating func moveToEnd(_ agent: Int, _ profiles: Profiles) {
    if tail == agentAt.count { renumber(profiles) }
    let channels = listed[agent]
    list(agent, 0, profiles)
    agentAt[Int(positionOf[agent])] = -1
    positionOf[agent] = Int32(truncatingIfNeeded: tail)
    agentAt[tail] = Int32(truncatingIfNeeded: agent)
    tail += 1
    list(agent, channels, profiles)
  }

  private mutating func renumber(_ profiles: Profiles) {
    let order = agentAt.filter { $0 >= 0 }
    let channels = listed
    for index in bits.indices { bits[index] = 0 }
    for index in levels.indices { levels[index] = 0 }
    for index in summary.indices { summary[index] = 0 }
    for index in listed.indices { listed[index] = 0 }
    countByChannel = [0, 0, 0]
    for index in agentAt.indices { agentAt[index] = -1 }
    tail = 0
    for agent in order {
      positionOf[Int(agent)] = Int32(truncatingIfNeeded: tail)
      agentAt[tail] = agent
      tail += 1
    }
    for agent in order { list(Int(agent), channels[Int(agent)], profiles) }
  }

  private mutating func putProfile(_ agent: Int, _ position: Int, _ on: Bool, _ profiles: Profiles)
  {
    for at in profiles.skillRange(agent) {
      let skill = profiles.allSkills[at]
      putLevel(Int(skill.skill.raw), position, on ? skill.level : 0)
    }
    for at in profiles.queueRange(agent) { put(3 + Int(profiles.allQueues[at].raw), position, on) }
  }

  private mutating func putLevel(_ skill: Int, _ position: Int, _ level: UInt8) {
    let word = position >> 6
    let at = (skill * words + word) << 2
    let bit: UInt64 = 1 << UInt64(position & 63)
    let level = UInt64(level)
    let shift = UInt64(position & 63)
    let one = levels[at] & ~bit | (level & 1) << shift
    let two = levels[at + 1] & ~bit | (level >> 1 & 1) << shift
    let four = levels[at + 2] & ~bit | (level >> 2 & 1) << shift
    let eight = levels[at + 3] & ~bit | (level >> 3 & 1) << shift
    levels[at] = one
    levels[at + 1] = two
    levels[at + 2] = four
    levels[at + 3] = eight
    mark(3 + queueCount + skill, word, one | two | four | eight != 0)
  }

  /// Agents of the word whose level in the skill is at least `level`.
  @inline(__always) private func atLeast(_ level: UInt8, _ skill: Int, _ word: Int) -> UInt64 {
    let at = (skill * words + word) << 2
    var above: UInt64 = 0
    var equal: UInt64 = .max
    var plane = 3
    while plane >= 0 {
      let bits = levels[at + plane]
      if level >> UInt8(plane) & 1 != 0 {
        equal &= bits
      } else {
        above |= equal & bits
        equal &= ~bits
      }
      plane -= 1
    }
    return above | equal
  }

  @inline(__always) private mutating func mark(_ column: Int, _ word: Int, _ some: Bool) {
    let above = column * summaryWords + word >> 6
    if some {
      summary[above] |= 1 << UInt64(word & 63)
    } else {
      summary[above] &= ~(1 << UInt64(word & 63))
    }
  }

  @inline(__always) private mutating func put(_ column: Int, _ position: Int, _ on: Bool) {
    let word = position >> 6
    let at = column * words + word
    if on {
      bits[at] |= 1 << UInt64(position & 63)
    } else {
      bits[at] &= ~(1 << UInt64(position & 63))
    }
    mark(column, word, bits[at] != 0)
  }

  /// Where a search stands. It visits listed agents of the channel who serve one of the queues and
  /// have all skills at their levels, the longest idle first.
  struct Cursor {
    fileprivate var block = -1
    fileprivate var some: UInt64 = 0
    fileprivate var word = 0
    fileprivate var found: UInt64 = 0
  }

  func isEmpty(_ channel: Channel) -> Bool { countByChannel[Int(channel.rawValue) - 1] == 0 }

  /// The next agent, or -1 when there is none.
  func next(
    _ cursor: inout Cursor, channel: Channel, queue: QueueID, widened: [QueueID],
    skills: [Need.SkillRequirement]
  ) -> Int {
    let column = Int(channel.rawValue) - 1
    while true {
      if cursor.found != 0 {
        let bit = cursor.found.trailingZeroBitCount
        cursor.found &= cursor.found - 1
        return Int(agentAt[cursor.word << 6 | bit])
      }
      while cursor.some == 0 {
        cursor.block += 1
        guard cursor.block < summaryWords else { return -1 }
        var some = summary[column * summaryWords + cursor.block]
        if some != 0 { some &= either(summary, summaryWords, cursor.block, queue, widened) }
        for skill in skills where skill.required && some != 0 {
          guard Int(skill.skill.raw) < skillCount else { return -1 }
          some &= summary[(3 + queueCount + Int(skill.skill.raw)) * summaryWords + cursor.block]
        }
        cursor.some = some
      }
      let word = cursor.block << 6 | cursor.some.trailingZeroBitCount
      cursor.some &= cursor.some - 1
      var found = bits[column * words + word] & either(bits, words, word, queue, widened)
      for skill in skills where skill.required && found != 0 {
        found &= atLeast(skill.level, Int(skill.skill.raw), word)
      }
      cursor.word = word
      cursor.found = found
    }
  }

  /// How many listed agents serve the queue and have all skills at their levels.
  func count(queue: QueueID, skills: [Need.SkillRequirement]) -> Int {
    var count = 0
    for word in 0..<words {
      var found = bits[(3 + Int(queue.raw)) * words + word]
      for skill in skills where skill.required && found != 0 {
        guard Int(skill.skill.raw) < skillCount else { return 0 }
        found &= atLeast(skill.level, Int(skill.skill.raw), word)
      }
      count += found.nonzeroBitCount
    }
    return count
  }

  @inline(__always) private func either(
    _ table: [UInt64], _ stride: Int, _ at: Int, _ queue: QueueID, _ widened: [QueueID]
  ) -> UInt64 {
    var any = table[(3 + Int(queue.raw)) * stride + at]
    for queue in widened { any |= table[(3 + Int(queue.raw)) * stride + at] }
    return any
  }
}
