"""What the calls do, and what must have been seen on the wire."""

from dataclasses import dataclass, field


@dataclass
class Scenario:
    name: str
    title: str
    plan: dict = field(default_factory=dict)  # for router.py; a real router's hook gets `rings`
    patience: int = 20000  # milliseconds until the caller hangs up
    steps: list = field(default_factory=list)  # seconds; (script, who, what must be said first); kill; start
    limit: int = 40  # seconds until the call must be over
    router_is_away: bool = False
    message: bool = False  # the caller must have left one
    local: bool = False  # the phone system's own queue must have served the call
    expect: list = field(default_factory=list)  # (sentence, test of the talks)

    @property
    def needs_script(self):
        """Whether it takes a router that does as it is told, such as refusing an offer for no reason."""
        return not self.message and not {"accept", "think", "finish"}.isdisjoint(self.plan)

    def check(self, talks, caller):
        problems = [] if caller == 0 else [f"the caller's SIPp ended with {caller}"]
        return problems + [sentence for sentence, holds in self.expect if not holds(talks)]


def talks_of(talks, script):
    return [talk for talk in talks if talk.script == script]


def asterisk_said(talks, script, text):
    return any(text in talk.text("C") for talk in talks_of(talks, script))


def router_said(talks, script, text):
    return any(text in talk.text("S") for talk in talks_of(talks, script))


def one_call(talks):
    """Every caller's connection is of one and the same call."""
    names = {line for talk in talks_of(talks, "wait") for line in talk.text("C").split("\n") if "agi_uniqueid" in line}
    return len(names) == 1


def dialled(device):
    return (f"{device} was not rung", lambda talks: router_said(talks, "wait", f"EXEC Dial {device},"))


def ended(status):
    return (f"no ring ended with {status}", lambda talks: asterisk_said(talks, "wait", f"200 result=1 ({status})"))


ARRIVED = ("no call arrived, or more than one", one_call)
NUMBER = ("the caller's number is missing", lambda talks: asterisk_said(talks, "wait", "agi_callerid: +442079460018\n"))
MUSIC = ("no music", lambda talks: router_said(talks, "wait", "SET MUSIC ON"))
HANGUP = ("no HANGUP line", lambda talks: asterisk_said(talks, "wait", "\nHANGUP\n"))
REPORTED = ("the hangup handler did not report the end", lambda talks: len(talks_of(talks, "hangup")) == 1)
SERVED = ("the call was not served", lambda talks: asterisk_said(talks, "hangup", "end=served"))
ACCEPTED = ("nothing was accepted on the answered leg",
            lambda talks: router_said(talks, "answered", 'SET VARIABLE GOSUB_RESULT ""'))
NOT_BRIDGED = ("ANSWEREDTIME is not empty, so they were bridged",
               lambda talks: asterisk_said(talks, "wait", "(ANSWER)\n200 result=1 ()\n"))
NOBODY_ANSWERED = ("a device asked for its offer", lambda talks: not talks_of(talks, "answered"))
DIALLING = ("wait", "S", "EXEC Dial")
ACCEPTING = ("answered", "S", 'GOSUB_RESULT ""')
ALWAYS = [ARRIVED, NUMBER, REPORTED]

SCENARIOS = [
    Scenario(
        "answered", "Waits with music, is rung through, talks, and is served when the agent hangs up.",
        {"rings": ["PJSIP/agent1"]},
        expect=[*ALWAYS, MUSIC, dialled("PJSIP/agent1"), ACCEPTED, ended("ANSWER"), SERVED]),
    Scenario(
        "refused", "The agent answers when the offer is no longer good: dropped before the bridge, the caller waits on.",
        {"rings": ["PJSIP/agent1"], "accept": False}, patience=7000,
        expect=[*ALWAYS, dialled("PJSIP/agent1"), ended("ANSWER"), HANGUP, NOT_BRIDGED]),
    Scenario(
        "missed", "The device is not answered; the caller hears music again, and another agent takes the call.",
        {"rings": ["PJSIP/agent3", "PJSIP/agent1"]},
        expect=[*ALWAYS, dialled("PJSIP/agent3"), ended("NOANSWER"), dialled("PJSIP/agent1"), ACCEPTED, SERVED]),
    Scenario(
        "busy", "The device is busy; the caller hears music again, and another agent takes the call.",
        {"rings": ["PJSIP/agent2", "PJSIP/agent1"]},
        expect=[*ALWAYS, dialled("PJSIP/agent2"), ended("BUSY"), ACCEPTED, SERVED]),
    Scenario(
        "unregistered", "The device is not there; the caller waits on, and another agent takes the call.",
        {"rings": ["PJSIP/agent9", "PJSIP/agent1"]},
        expect=[*ALWAYS, dialled("PJSIP/agent9"), ended("CHANUNAVAIL"), ACCEPTED, SERVED]),
    Scenario(
        "hung-up-while-waiting", "The caller hangs up while music plays.", patience=3000,
        expect=[*ALWAYS, MUSIC, HANGUP, NOBODY_ANSWERED]),
    Scenario(
        "hung-up-while-ringing", "The caller hangs up while the device rings.",
        {"rings": ["PJSIP/agent3"], "timeout": 15}, patience=4000,
        expect=[*ALWAYS, dialled("PJSIP/agent3"), ended("CANCEL"), HANGUP, NOBODY_ANSWERED]),
    Scenario(
        "hung-up-while-talking", "The caller hangs up while talking.",
        {"rings": ["PJSIP/agent1"]}, patience=3600,
        expect=[*ALWAYS, dialled("PJSIP/agent1"), ACCEPTED, ended("ANSWER"), HANGUP]),
    Scenario(
        "killed-while-waiting", "The router is killed while the caller waits; the call comes back and is served.",
        {"rings": ["PJSIP/agent1"], "after": 3}, steps=[("wait", "C", "result=0"), 0.5, "kill", 2, "start"],
        expect=[*ALWAYS, dialled("PJSIP/agent1"), ACCEPTED, SERVED,
                ("the call did not come back", lambda talks: len(talks_of(talks, "wait")) == 2)]),
    Scenario(
        "killed-while-ringing", "The router is killed while the device rings: it is not bridged, and the call comes back.",
        {"rings": ["PJSIP/agent1"]}, steps=[DIALLING, 0.3, "kill", 2, "start"],
        expect=[*ALWAYS, dialled("PJSIP/agent1"), ACCEPTED, SERVED,
                ("the call did not come back as answered and dropped",
                 lambda talks: asterisk_said(talks, "wait", "agi_arg_2: dialstatus=ANSWER\nagi_arg_3: answeredtime=\n"))]),
    Scenario(
        "caller-hangs-up-while-asking", "The caller hangs up while the router is asked about the answered device.",
        {"rings": ["PJSIP/agent1"], "think": 3}, patience=3600,
        expect=[*ALWAYS, dialled("PJSIP/agent1"), HANGUP, NOT_BRIDGED]),
    Scenario(
        "agent-hangs-up-while-asking", "The agent hangs up while the router is asked: no bridge, and the caller waits on.",
        {"rings": ["PJSIP/agent1"], "think": 4}, patience=9000,
        expect=[*ALWAYS, dialled("PJSIP/agent1"), HANGUP, NOT_BRIDGED,
                ("the device's HANGUP was not told", lambda talks: asterisk_said(talks, "answered", "\nHANGUP\n"))]),
    Scenario(
        "killed-while-talking", "The router is killed while they talk: they talk on, and the call comes back as answered.",
        {"rings": ["PJSIP/agent1"]}, steps=[ACCEPTING, 0.5, "kill", 0.7, "start"],
        expect=[*ALWAYS, ACCEPTED, SERVED,
                ("the call did not come back as answered",
                 lambda talks: asterisk_said(talks, "wait", "agi_arg_2: dialstatus=ANSWER"))]),
    Scenario(
        "message", "The router has the caller leave a message: it is recorded, and goes to the router when they hang up.",
        {"rings": [], "finish": "message"}, patience=12000, message=True,
        expect=[*ALWAYS, NOBODY_ANSWERED, ("the router did not ask for a message",
                                           lambda talks: asterisk_said(talks, "hangup", "end=message"))]),
    Scenario(
        "left-to-the-local-queue", "The router cannot help and says so: the phone system's own queue rings an agent.",
        {"rings": [], "finish": "local"}, local=True,
        expect=[*ALWAYS, ("the call was not left to the local queue",
                          lambda talks: asterisk_said(talks, "hangup", "end=local"))]),
    Scenario(
        "no-router", "No router is there: after the patience the phone system's own queue rings an agent.",
        router_is_away=True, local=True, expect=[("a router was there", lambda talks: not talks)]),
]
