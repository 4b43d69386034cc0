import Routing
import Rules
import Testing

@testable import RuleFiles

/// Rule files are judged without the machine, which has bounds of its own: what a file may say, the
/// machine must take.
struct `Bounds of rule files and of the machine` {
  @Test func `what a file may say the machine takes`() {
    #expect(Most.devices == RoutingLimits.devicesPerAgentMax)
    #expect(Most.queues == RoutingLimits.queuesMax)
    #expect(Most.skills == RoutingLimits.skillsMax)
    #expect(Most.openings == RoutingLimits.intervalsPerQueueMax)
    #expect(Plan.skillsMax == RoutingLimits.skillsPerNeedMax)
    #expect(Plan.widenedMax == RoutingLimits.widenedQueuesMax)
    #expect(Plan.namesMax == RoutingLimits.excludedPerNeedMax)
    // A queue that is closed, and one that keeps nobody longer, may each say something.
    #expect(Plan.stepsMax + 2 == RoutingLimits.stepsPerNeedMax)
  }
}
