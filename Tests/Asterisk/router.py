"""A small router that answers FastAGI as Throughline's AGICall and AGIAnswered do, to prove the dialplan before there
is a server. It runs as a process of its own, so that it can be killed.

    router.py PORT SECRET PLAN.json

The plan: {"rings": ["PJSIP/agent1", …], "after": seconds of music before each ring, "timeout": seconds a device rings,
"accept": false to refuse every answered device, "end": the ending once somebody has talked}.
"""

import json
import socket
import sys
import threading


class Gone(Exception):
    pass


class Talk:
    def __init__(self, connection):
        self.connection = connection
        self.file = connection.makefile("rb")
        self.hung_up = False

    def header(self):
        fields = {}
        while line := self.line():
            name, _, value = line.partition(": ")
            fields[name] = value
        return fields

    def line(self):
        raw = self.file.readline()
        if not raw:
            raise Gone
        return raw.decode("utf-8", "replace").rstrip("\n")

    def ask(self, command):
        self.connection.sendall(command.encode() + b"\n")
        while (line := self.line()) == "HANGUP":
            self.hung_up = True
        return line

    def wait(self, seconds):
        """Waits with no command in flight; the caller may hang up meanwhile."""
        self.connection.settimeout(seconds)
        try:
            if self.line() == "HANGUP":
                self.hung_up = True
        except TimeoutError:
            # A file over a socket is of no use after a timeout: take a new one.
            self.file = self.connection.makefile("rb")
        finally:
            self.connection.settimeout(None)


class Router:
    def __init__(self, secret, plan):
        self.secret = secret
        self.plan = plan
        self.accepted = set()

    def serve(self, connection):
        talk = Talk(connection)
        try:
            fields = talk.header()
            if fields.get("agi_arg_1") == self.secret:
                handler = {"wait": self.call, "answered": self.answered}
                handler.get(fields.get("agi_network_script"), lambda *_: None)(talk, fields)
        except (Gone, OSError):
            pass
        finally:
            connection.close()

    def call(self, talk, fields):
        if fields.get("agi_arg_2") == "dialstatus=ANSWER" and fields.get("agi_arg_3") != "answeredtime=":
            talk.ask(f"SET VARIABLE THROUGHLINE_END {self.plan.get('end', 'served')}")
            return
        talk.ask("SET MUSIC ON default")
        for number, device in enumerate(self.plan.get("rings", [])):
            talk.wait(self.plan.get("after", 1))
            if talk.hung_up:
                return
            offer = f"offer{number + 1}"
            talk.ask(f"EXEC Dial {device},{self.plan.get('timeout', 3)},gmU(tl-offer^{offer})")
            status = talk.ask("GET VARIABLE DIALSTATUS")
            if "(ANSWER)" in status:
                talk.ask("GET VARIABLE ANSWEREDTIME")
            if "(CHANUNAVAIL)" in status or "(CONGESTION)" in status:
                talk.ask("GET VARIABLE HANGUPCAUSE")
            if talk.hung_up:
                return
            talk.ask("SET MUSIC ON default")
            if offer in self.accepted:
                talk.ask(f"SET VARIABLE THROUGHLINE_END {self.plan.get('end', 'served')}")
                return
        if self.plan.get("finish"):
            talk.ask(f"SET VARIABLE THROUGHLINE_END {self.plan['finish']}")
            return
        while not talk.hung_up:
            talk.wait(60)

    def answered(self, talk, fields):
        talk.ask("SET VARIABLE GOSUB_RESULT CONTINUE")
        if think := self.plan.get("think", 0):
            talk.wait(think)
        # After a HANGUP line SET VARIABLE still answers 200, and Dial would bridge to nobody.
        if self.plan.get("accept", True) and not talk.hung_up:
            self.accepted.add(fields["agi_arg_2"])
            talk.ask('SET VARIABLE GOSUB_RESULT ""')


def main():
    port, secret, plan = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
    router = Router(secret, plan)
    listener = socket.create_server(("127.0.0.1", port))
    print("listening", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=router.serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
