"""Says what testssl.sh found: everything that it does not call right, and whether that passes.

usage: judge.py NAME REPORT.json     status 1 when anything is graded MEDIUM or worse, or not all was looked at
"""
import collections
import json
import sys

RIGHT = ("OK", "INFO", "DEBUG")
BAD = ("MEDIUM", "HIGH", "CRITICAL", "FATAL")
# Of a scan that was cut short nothing bad is known.
WHOLE = ("TLS1_2", "TLS1_3", "cert_chain_of_trust", "heartbleed", "ROBOT", "secure_client_renego", "RC4")


def judge(name, path):
    with open(path) as report:
        found = [each for each in json.load(report) if each["severity"] != "DEBUG"]
    counts = collections.Counter(each["severity"] for each in found)
    print(f"{name}, testssl:", ", ".join(f"{count} {grade}" for grade, count in counts.most_common()))
    for each in found:
        if each["severity"] not in RIGHT:
            print(f"  {each['severity']} {each['id']}: {each['finding']}")
    seen = {each["id"].split(" ")[0] for each in found}
    missing = [id for id in WHOLE if id not in seen]
    if missing:
        print("  not looked at:", ", ".join(missing))
    return 1 if missing or any(each["severity"] in BAD for each in found) else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(judge(*sys.argv[1:]))
