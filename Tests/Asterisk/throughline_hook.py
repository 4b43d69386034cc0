"""The hook by which `run` plays its calls against `throughline serve`: run-throughline passes the first four.

    throughline_hook.py BINARY FOLDER PORT SECRET STEP SCENARIO [DEVICE…]

Every scenario has a data folder and rules of its own: one queue, and an agent for each device. An agent who becomes
available first has been idle the longest, and so is rung first.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

UPLOAD = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "phone" / "asterisk" / "throughline-message"
CALLER = "+442079460018"
NAMES = ["agent1", "agent2", "agent3", "agent9"]


class Server:
    def __init__(self, binary, folder, port, secret):
        self.binary, self.folder, self.port, self.secret = binary, pathlib.Path(folder), port, secret
        self.pid_file, self.http_file = self.folder / "pid", self.folder / "http"

    def rules(self, scenario):
        folder = self.folder / "rules" / "calls"
        (folder / "rules").mkdir(parents=True)
        ring = "15s" if scenario == "hung-up-while-ringing" else "3s"
        write = lambda name, text: (folder / name).write_text(text)
        write("workspace.yaml", "title: Calls\ndefault_region: GB\nphone_systems:\n"
              f"  pbx: {{ api: fastagi, networks: [127.0.0.1], secret: {self.secret} }}\n")
        write("skills.yaml", "english: { title: English, language: en }\n")
        write("queues.yaml", f"calls: {{ title: Calls, offer_timeout: {{ phone: {ring} }}, wrap_up: 1s }}\n")
        write("agents.yaml", "".join(f"{n}: {{ queues: [calls], devices: [PJSIP/{n}] }}\n" for n in NAMES))
        rule = "leave_message: { queue: calls, say: Please speak. }" if scenario == "message" else "route: { queue: calls }"
        write("rules/10-all.yaml", f"- name: every call\n  {rule}\n")

    def options(self):
        return ["--data", str(self.folder / "data"), "--rules", str(self.folder / "rules")]

    def environment(self):
        # The server takes an unknown THROUGHLINE_… variable for a mistake, and this harness has some.
        return {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}

    def start(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            http = probe.getsockname()[1]
        self.http_file.write_text(str(http))
        with open(self.folder / "log", "ab") as log:
            process = subprocess.Popen(
                [self.binary, "serve", *self.options(), "--http", f"127.0.0.1:{http}", "--smtp", "off", "--lmtp", "off",
                 "--fastagi", f"127.0.0.1:{self.port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(), start_new_session=True)
        self.pid_file.write_text(str(process.pid))
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", int(self.port)), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"the server does not listen: {(self.folder / 'log').read_text()[-1500:]}")

    def kill(self):
        if self.pid_file.exists():
            os.kill(int(self.pid_file.read_text()), signal.SIGKILL)
            self.pid_file.unlink()
            time.sleep(0.1)

    def command(self, *words):
        result = subprocess.run(
            [self.binary, *words, *self.options()], capture_output=True, text=True, timeout=20, env=self.environment())
        return result.stdout.strip() if not result.returncode else sys.exit(result.stderr)

    def available(self, names):
        """Makes agents available, one after the other."""
        for name in names:
            token = self.command("token", "create", "--agent", name)
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.http_file.read_text()}/v1/agents/me/status", method="PUT",
                data=json.dumps({"status": "available", "lease_seconds": 600}).encode(),
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=10).read()


def begin(server, scenario, devices):
    shutil.rmtree(server.folder, ignore_errors=True)
    server.folder.mkdir(parents=True)
    server.rules(scenario)
    server.start()
    names = [device.removeprefix("PJSIP/") for device in devices]
    # This call must still be waiting when the server is killed: the agent comes when it is back.
    if scenario != "killed-while-waiting":
        server.available(names)
    if scenario in ("killed-while-waiting", "killed-while-ringing"):
        (server.folder / "later").write_text(" ".join(names))


def start(server):
    server.start()
    if (server.folder / "later").exists():
        # Not in this step: Asterisk must not wait for it.
        subprocess.Popen(
            [sys.executable, *sys.argv[:5], "later", *sys.argv[6:]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)


def later(server, scenario):
    if scenario == "killed-while-ringing":
        # The offer that was ringing counts as missed, and an agent who missed one must say that they are back.
        time.sleep(4)
    server.available((server.folder / "later").read_text().split())


def bring(server, recording, unique):
    """The recording of a message, by the program that ships with the dialplan."""
    token = server.folder / "pbx.token"
    token.write_text(server.command("token", "create", "--telephony", "pbx"))
    url = f"http://127.0.0.1:{server.http_file.read_text()}"
    subprocess.run(
        [str(UPLOAD), recording, unique], check=True, timeout=30,
        env={**os.environ, "THROUGHLINE_URL": url, "THROUGHLINE_TOKEN": str(token)})
    if os.path.exists(recording):
        sys.exit("the recording that was brought is still there")
    if "leaves a message (blob_" not in server.command("timeline", CALLER):
        sys.exit("the caller's timeline has no message")


def check(server, message):
    """The caller's timeline tells of this one call, and that it is over."""
    if message:
        bring(server, *message)
    timeline = server.command("timeline", CALLER)
    (server.folder / "timeline").write_text(timeline + "\n")
    return 0 if timeline else sys.exit("the caller has no timeline")


def main():
    binary, folder, port, secret, step, scenario, *devices = sys.argv[1:]
    server = Server(binary, folder, port, secret)
    if step == "begin":
        begin(server, scenario, devices)
    elif step == "start":
        start(server)
    elif step == "later":
        later(server, scenario)
    elif step == "check":
        check(server, devices)
    elif step in ("kill", "end"):
        server.kill()


if __name__ == "__main__":
    main()
