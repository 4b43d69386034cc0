"""A real Asterisk and SIPp's phones, on loopback, with the dialplan that ships in docs/phone/asterisk."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

DEBUG = os.environ.get("THROUGHLINE_ASTERISK_DEBUG")
HERE = pathlib.Path(__file__).resolve().parent
SHIPPED = HERE.parent.parent / "docs" / "phone" / "asterisk"
MODULES = """
res_sorcery_config res_sorcery_memory res_sorcery_astdb res_pjproject res_pjsip res_pjsip_session res_pjsip_sdp_rtp
res_pjsip_pubsub res_pjsip_endpoint_identifier_user res_pjsip_caller_id res_pjsip_rfc3326 res_pjsip_dtmf_info res_rtp_asterisk
res_timing_timerfd res_musiconhold res_speech res_agi chan_pjsip codec_ulaw codec_gsm codec_resample format_gsm
format_wav format_pcm bridge_simple bridge_native_rtp bridge_softmix bridge_builtin_features app_dial app_queue
app_stack app_playback app_record app_system app_verbose func_channel func_callerid func_logic func_strings func_global func_dialplan
func_env func_math pbx_config
""".split()


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Installation:
    """Where Asterisk and SIPp are: this machine's own, or a folder that debootstrap filled."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.prefix = [] if root == "/" else ["chroot", root]
        # The folder has the same name inside and outside.
        self.inside = f"/tmp/throughline-asterisk-{os.getpid()}"
        self.outside = pathlib.Path(str(self.root) + self.inside) if root != "/" else pathlib.Path(self.inside)
        shutil.rmtree(self.outside, ignore_errors=True)
        self.outside.mkdir(parents=True)

    def start(self, *command, log):
        with open(log, "wb") as output:
            return subprocess.Popen(
                [*self.prefix, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                cwd="/", start_new_session=True)

    def run(self, *command, timeout=20):
        return subprocess.run(
            [*self.prefix, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)

    def remove(self):
        shutil.rmtree(self.outside, ignore_errors=True)


def stop(process, hard=False):
    if process and process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL if hard else signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Phones:
    """The agents' devices: agent1 answers, agent2 is busy, agent3 is silent, agent9 is not there."""

    KINDS = {"agent1": "agent-answers", "agent2": "agent-busy", "agent3": "agent-silent"}

    def __init__(self, place):
        self.place = place
        self.ports = {name: free_port() for name in self.KINDS}
        self.running = []

    def scenario(self, kind, **values):
        text = (HERE / "sipp" / f"{kind}.xml").read_text()
        for name, value in values.items():
            text = text.replace(name, str(value))
        file = self.place.outside / f"{kind}-{time.monotonic_ns()}.xml"
        file.write_text(text)
        return f"{self.place.inside}/{file.name}"

    def start(self, talk):
        for name, kind in self.KINDS.items():
            self.running.append(self.sipp(name, self.scenario(kind, TALK=talk), self.ports[name]))

    def sipp(self, name, scenario, port, *more):
        log = self.place.outside / f"sipp-{name}.log"
        return self.place.start(
            "sipp", "-sf", scenario, "-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", str(port),
            "-mp", str(free_port() & ~1), "-nostdin", *(["-trace_msg", "-trace_err", "-message_file", f"{self.place.inside}/sipp-{name}.messages"] if DEBUG else []), "-timeout", "120", *more, log=log)

    def call(self, pbx_port, patience):
        return self.sipp(
            "caller", self.scenario("caller", PATIENCE=patience), free_port(),
            "-m", "1", "-l", "1", f"127.0.0.1:{pbx_port}")

    def stop(self):
        for process in self.running:
            stop(process)
        self.running = []


class Asterisk:
    def __init__(self, place, agi_port, secret, patience, phones):
        self.place = place
        self.port = free_port()
        self.etc = place.outside / "etc"
        self.etc.mkdir()
        for folder in ("run", "log", "db", "spool"):
            (place.outside / folder).mkdir()
        (place.outside / "messages").mkdir()
        # Says what it was asked to bring; the hook brings it, since it knows where the router is.
        upload = place.outside / "upload"
        upload.write_text(f'#!/bin/sh\necho "$@" >>{place.inside}/asked\n')
        upload.chmod(0o755)
        self.write(agi_port, secret, patience, phones)
        self.process = None

    def write(self, agi_port, secret, patience, phones):
        inside = self.place.inside
        self.file("asterisk.conf", f"""
[directories]
astetcdir => {inside}/etc
astmoddir => {self.modules()}
astvarlibdir => /var/lib/asterisk
astdatadir => /usr/share/asterisk
astdbdir => {inside}/db
astkeydir => {inside}/db
astspooldir => {inside}/spool
astrundir => {inside}/run
astlogdir => {inside}/log
[options]
verbose = 3
""")
        self.file("modules.conf", "[modules]\nautoload = no\n" + "".join(f"load = {m}.so\n" for m in MODULES))
        self.file("logger.conf", "[general]\n[logfiles]\nfull => notice,warning,error,verbose\n")
        self.file("musiconhold.conf", "[default]\nmode = files\ndirectory = moh\n")
        self.file("rtp.conf", "[general]\nrtpstart = 30000\nrtpend = 30200\nstrictrtp = no\n")
        self.file("pjsip.conf", self.pjsip(phones))
        shutil.copy(SHIPPED / "queues.conf", self.etc)
        # The shipped dialplan, with its settings set and nothing else changed.
        dialplan = (SHIPPED / "extensions.conf").read_text()
        for name, value in (("THROUGHLINE", f"agi://127.0.0.1:{agi_port}"), ("THROUGHLINE_SECRET", secret),
                            ("THROUGHLINE_PATIENCE", str(patience)),
                            ("THROUGHLINE_MESSAGES", f"{inside}/messages"), ("THROUGHLINE_UPLOAD", f"{inside}/upload")):
            lines = dialplan.split("\n")
            at = [n for n, line in enumerate(lines) if line.startswith(name + "=")]
            assert len(at) == 1, f"the shipped dialplan does not set {name} once"
            lines[at[0]] = f"{name}={value}"
            dialplan = "\n".join(lines)
        self.file("extensions.conf", dialplan)

    def file(self, name, text):
        (self.etc / name).write_text(text)

    def modules(self):
        for folder in ("usr/lib/asterisk/modules", "usr/lib/x86_64-linux-gnu/asterisk/modules"):
            if (self.place.root / folder).is_dir():
                return "/" + folder
        sys.exit("no Asterisk modules found")

    def pjsip(self, phones):
        endpoint = ("type = endpoint\ndisallow = all\nallow = ulaw\ndirect_media = no\n"
                    "media_address = 127.0.0.1\nbind_rtp_to_media_address = yes\n")
        text = f"[udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:{self.port}\n"
        text += f"[caller]\n{endpoint}context = throughline\ntrust_id_inbound = yes\n"
        for name in [*phones.ports, "agent9"]:
            contact = f"contact = sip:{name}@127.0.0.1:{phones.ports[name]}\n" if name in phones.ports else ""
            text += f"[{name}]\n{endpoint}context = phones\naors = {name}\n[{name}]\ntype = aor\n{contact}"
        return text

    def start(self):
        self.process = self.place.start(
            "asterisk", "-f", "-n", "-C", f"{self.place.inside}/etc/asterisk.conf", log=self.place.outside / "asterisk.log")
        for _ in range(100):
            if self.process.poll() is not None:
                sys.exit(f"Asterisk did not start: {(self.place.outside / 'asterisk.log').read_text()[-2000:]}")
            if "fully booted" in self.ask("core waitfullybooted"):
                return self.check()
            time.sleep(0.2)
        sys.exit("Asterisk did not come up within 20 s")

    def check(self):
        """A module that could not be loaded would show only as calls that fail."""
        running = {line.split(".so")[0] for line in self.ask("module show").split("\n") if "Running" in line}
        if missing := set(MODULES) - running:
            sys.exit(f"Asterisk runs without {', '.join(sorted(missing))}; see {self.place.outside}/log/full")

    def ask(self, command):
        answer = self.place.run(
            "asterisk", "-C", f"{self.place.inside}/etc/asterisk.conf", "-rx", command)
        return answer.stdout + answer.stderr

    @property
    def version(self):
        return self.ask("core show version").split(" built")[0].strip()

    def completed(self, queue):
        """How many calls a queue has completed: the C of `W:0, C:1, A:0`."""
        found = re.search(r"\bC:(\d+)", self.ask(f"queue show {queue}"))
        return int(found.group(1)) if found else 0

    def take_messages(self):
        """What the dialplan asked to have brought to the router since the last time: FILE, UNIQUEID, FILE, …"""
        asked = self.place.outside / "asked"
        if not asked.exists():
            return []
        words = asked.read_text().split()
        asked.unlink()
        return [str(self.place.root) + word if word.startswith("/") and str(self.place.root) != "/" else word for word in words]

    def channels(self):
        return [line for line in self.ask("core show channels concise").split("\n") if "!" in line]

    def stop(self):
        stop(self.process)
