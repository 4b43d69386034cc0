"""The recording relay between Asterisk and the router, and the `.session` files it writes."""

import socket
import threading
import time


class Talk:
    """One connection: what each side said, in order, and when."""

    def __init__(self, number):
        self.number = number
        self.began = time.monotonic()
        self.steps = []  # (seconds since the beginning, "C" for Asterisk or "S" for the router, bytes or None)

    def said(self, who, data):
        self.steps.append((time.monotonic() - self.began, who, data))

    def text(self, who):
        return b"".join(data for _, side, data in self.steps if side == who and data).decode("utf-8", "replace")

    @property
    def script(self):
        for line in self.text("C").split("\n"):
            if line.startswith("agi_network_script: "):
                return line.split(": ", 1)[1]
        return "?"

    def argument(self, number):
        for line in self.text("C").split("\n"):
            if line.startswith(f"agi_arg_{number}: "):
                return line.split(": ", 1)[1]
        return ""

    def session(self, title, secret):
        """The talk as a `.session` file; a secret never gets into one."""
        lines = [f"# {part}" for part in title]
        for index, (at, who, data) in enumerate(self.steps):
            before = self.steps[index - 1][0] if index else 0
            if who == "S" and round(at - before) >= 1:
                lines.append(f"+{round(at - before)}s")
            if data is None:
                lines.append(f"{who}: <close>")
                continue
            for line in data.split(b"\n")[:-1]:
                text = line.decode("latin-1").replace("\\", "\\\\").replace(secret, "0123456789abcdef0123")
                lines.append(f"{who}: " + "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text))
            rest = data.split(b"\n")[-1]
            if rest:
                lines.append(f"{who}+ " + rest.decode("latin-1").replace("\\", "\\\\"))
        return "\n".join(lines) + "\n"


class Relay:
    """Listens where the dialplan points, and passes everything on to the router. While the router is down the
    relay does not listen either, so that Asterisk sees a refused connection, as it would without a relay."""

    def __init__(self, router):
        self.router = router
        self.talks = []
        self.lock = threading.Lock()
        self.open = set()
        self.listener = None
        probe = socket.create_server(("127.0.0.1", 0))
        self.port = probe.getsockname()[1]
        probe.close()
        self.listen()

    def listen(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop_listening(self):
        # A thread that is inside accept keeps the socket alive: shut it down first.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def take_talks(self):
        with self.lock:
            talks, self.talks = self.talks, []
        return talks

    def wait_for(self, script, who, text, seconds=15):
        """Waits until this was said on a connection of that script."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self.lock:
                if any(text in talk.text(who) for talk in self.talks if talk.script == script):
                    return
            time.sleep(0.02)

    def _accept(self, listener):
        while True:
            try:
                asterisk, _ = listener.accept()
            except OSError:
                return
            try:
                router = socket.create_connection(self.router, timeout=2)
                router.settimeout(None)
            except OSError:
                asterisk.close()
                continue
            with self.lock:
                talk = Talk(len(self.talks))
                self.talks.append(talk)
            done = threading.Event()
            for who, source, sink in (("C", asterisk, router), ("S", router, asterisk)):
                threading.Thread(target=self._pass, args=(talk, who, source, sink, done), daemon=True).start()

    def _pass(self, talk, who, source, sink, done):
        try:
            while data := source.recv(65536):
                with self.lock:
                    talk.said(who, data)
                sink.sendall(data)
        except OSError:
            pass
        with self.lock:
            # Only the side that closes first is news.
            if not done.is_set():
                talk.said(who, None)
            done.set()
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
