"""Writes Autobahn's orders, and judges its report.

usage: report.py spec ADDRESS CASES      the fuzzing client's specification, as JSON
       report.py judge INDEX.json        every case that did not simply pass; status 1 where one failed
"""
import collections
import json
import sys

# Cases that may be INFORMATIONAL or NON-STRICT, each with the reason; README.md says more.
EXPECTED = {
    "7.1.6": "INFORMATIONAL by its nature: what happens to a message that a close frame overtakes",
    "7.13.1": "INFORMATIONAL by its nature: close code 5000 is outside every range",
    "7.13.2": "INFORMATIONAL by its nature: close code 65536 is outside every range",
}


def spec(address, cases):
    return {
        "outdir": "./reports",
        "servers": [{"agent": "throughline", "url": "ws://" + address, "options": {"version": 18}}],
        "cases": cases.split(","),
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }


def order(case):
    return [int(part) for part in case.split(".")]


def judge(path):
    with open(path) as report:
        (cases,) = json.load(report).values()
    behaviours = collections.Counter(case["behavior"] for case in cases.values())
    failed = False
    for name in sorted(cases, key=order):
        case = cases[name]
        if case["behavior"] == "OK" and case["behaviorClose"] in ("OK", "INFORMATIONAL"):
            continue
        is_expected = name in EXPECTED and case["behavior"] in ("INFORMATIONAL", "NON-STRICT")
        failed = failed or not is_expected
        reason = EXPECTED[name] if is_expected else "NOT EXPECTED"
        print(f"{name}: {case['behavior']}, close {case['behaviorClose']}: {reason}")
    print(f"{len(cases)} cases: " + ", ".join(f"{count} {name}" for name, count in behaviours.most_common()))
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["spec"] and len(sys.argv) == 4:
        print(json.dumps(spec(*sys.argv[2:])))
    elif sys.argv[1:2] == ["judge"] and len(sys.argv) == 3:
        sys.exit(judge(sys.argv[2]))
    else:
        sys.exit(__doc__)
