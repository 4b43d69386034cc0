"""Places real calls through a real Asterisk, and says whether each went as it should. See README.md; started by `run`."""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

from pbx import Asterisk, HERE, Installation, Phones, free_port, stop
from scenarios import SCENARIOS
from wire import Relay

TALK = 2500  # milliseconds until an agent hangs up
SECRET = "loopback-only-7f3d9a51"


class FakeRouter:
    """router.py as a process of its own; with a plan for each scenario."""

    def __init__(self):
        self.address = ("127.0.0.1", free_port())
        self.process = None
        self.plan = {}

    def begin(self, scenario):
        self.plan = scenario.plan
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "router.py"), str(self.address[1]), SECRET, json.dumps(self.plan)],
            stdout=subprocess.PIPE, start_new_session=True)
        self.process.stdout.readline()

    def kill(self):
        stop(self.process, hard=True)

    def check(self, scenario, messages):
        return None

    end = kill


class RealRouter:
    """A server that somebody else runs. The hook is told what is about to happen: `HOOK STEP SCENARIO [DEVICE…]`, where
    STEP is begin, kill, start, check or end; check is told of a message as FILE UNIQUEID."""

    def __init__(self, address, hook):
        self.address = address
        self.hook = hook
        self.scenario = None

    def tell(self, step, *more):
        command = [*shlex.split(self.hook), step, self.scenario.name, *more]
        return subprocess.run(command, timeout=60, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def begin(self, scenario):
        self.scenario = scenario
        result = self.tell("begin", *scenario.plan.get("rings", []))
        if result.returncode:
            raise RuntimeError(f"the hook could not begin {scenario.name}: {result.stdout}")

    def start(self):
        self.tell("start")

    def kill(self):
        self.tell("kill")

    def check(self, scenario, messages):
        result = self.tell("check", *messages)
        return result.stdout.strip() or "the hook is not content" if result.returncode else None

    def end(self):
        self.tell("end")


class Run:
    def __init__(self, options):
        self.options = options
        self.secret = options.secret or SECRET
        self.place = Installation(options.root)
        self.router = RealRouter(options.router, options.hook) if options.router else FakeRouter()
        self.relay = Relay(self.router.address)
        self.phones = Phones(self.place)
        self.asterisk = Asterisk(self.place, self.relay.port, self.secret, options.patience, self.phones)

    def play(self, scenario):
        """Returns what was wrong, as sentences."""
        if scenario.router_is_away:
            self.relay.stop_listening()
        else:
            self.router.begin(scenario)
        completed = self.asterisk.completed("throughline-local")
        caller = self.phones.call(self.asterisk.port, scenario.patience)
        for step in scenario.steps:
            self.step(step)
        self.settle(caller, scenario)
        talks = self.relay.take_talks()
        problems = scenario.check(talks, caller.returncode)
        if self.asterisk.completed("throughline-local") - completed != scenario.local:
            problems.append("the local queue " + ("did not serve the call" if scenario.local else "served a call"))
        if not scenario.router_is_away:
            messages = self.asterisk.take_messages()
            if bool(messages) != scenario.message:
                problems.append("a message was " + ("recorded" if messages else "not recorded"))
            found = self.router.check(scenario, messages)
            problems += [found] if found else []
            self.router.end()
        else:
            self.relay.listen()
        self.keep(scenario, talks)
        return problems

    def step(self, step):
        if isinstance(step, (int, float)):
            time.sleep(step)
        elif isinstance(step, tuple):
            self.relay.wait_for(*step)
        elif step == "kill":
            self.relay.stop_listening()
            self.router.kill()
        elif step == "start":
            self.router.start()
            self.relay.listen()

    def settle(self, caller, scenario):
        deadline = time.monotonic() + scenario.limit
        while time.monotonic() < deadline and (caller.poll() is None or self.asterisk.channels()):
            time.sleep(0.3)
        stop(caller)
        time.sleep(0.3)

    def keep(self, scenario, talks):
        if not self.options.keep:
            return
        folder = pathlib.Path(self.options.keep)
        folder.mkdir(parents=True, exist_ok=True)
        for number, talk in enumerate(talks):
            title = [f"{scenario.title} ({talk.script}, connection {number + 1} of {len(talks)})",
                     f"Captured by Tests/Asterisk/run from {self.version}; the secret replaced."]
            (folder / f"{scenario.name}-{number + 1}-{talk.script}.session").write_text(
                talk.session(title, self.secret))

    def all(self):
        passed, failed, skipped = 0, 0, 0
        self.phones.start(TALK)
        self.asterisk.start()
        self.version = self.asterisk.version
        print(self.version, flush=True)
        for scenario in SCENARIOS:
            if self.options.only and scenario.name not in self.options.only:
                continue
            if self.options.router and scenario.needs_script and not self.options.only:
                skipped += 1
                print(f"skipped {scenario.title} (only a scripted router does so)", flush=True)
                continue
            problems = self.play(scenario)
            passed, failed = passed + (not problems), failed + bool(problems)
            print(("FAILED  " if problems else "ok      ") + scenario.title, flush=True)
            for problem in problems:
                print(f"        {problem}", flush=True)
        return passed, failed, skipped

    def close(self):
        self.phones.stop()
        self.asterisk.stop()
        if isinstance(self.router, FakeRouter):
            self.router.kill()
        if os.environ.get("THROUGHLINE_ASTERISK_DEBUG"):
            print(f"left for you to look at: {self.place.outside}")
        else:
            self.place.remove()


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def main():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("--root", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--router", type=address, metavar="HOST:PORT", help="a router's FastAGI port (default: router.py)")
    parser.add_argument("--secret", help="the phone system's secret at that router")
    parser.add_argument("--hook", metavar="COMMAND", default="true", help="told each step: COMMAND STEP SCENARIO [DEVICE…]")
    parser.add_argument("--keep", metavar="FOLDER", help="write each connection's bytes there as .session files")
    parser.add_argument("--patience", type=int, default=4, help="seconds the dialplan waits for a router (default 4)")
    parser.add_argument("only", nargs="*", metavar="SCENARIO", help="; ".join(s.name for s in SCENARIOS))
    run = Run(parser.parse_args())
    try:
        passed, failed, skipped = run.all()
    finally:
        run.close()
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(0 if passed and not failed else 1)


if __name__ == "__main__":
    main()
