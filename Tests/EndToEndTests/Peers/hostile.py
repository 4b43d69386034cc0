"""Clients that mean no good, in a process of their own so that both ends have their descriptors.

usage: hostile.py SCENE PORT COUNT
Says "ready" when all stand, then waits for a line on standard input and leaves.
"""
import resource
import socket
import ssl
import sys

scene, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


def open_one(n, source=None):
    s = socket.socket()
    if source is None:  # so many addresses that none has more than a few hundred connections
        source = f"127.{1 + n // 250 % 250}.{n // 250 % 250}.{1 + n % 250}"
    s.bind((source, 0))
    s.settimeout(60)
    s.connect(("127.0.0.1", port))
    return s


def until(s, end):
    got = b""
    while not got.endswith(end):
        more = s.recv(65536)
        if not more:
            raise EOFError(got)
        got += more


def open_stream(n):
    s = open_one(n)
    s.sendall(
        b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer " + sys.argv[4].encode() + b"\r\n\r\n")
    until(s, b"}")
    return s


held = []
if scene == "half-open":
    for n in range(count):
        s = open_one(n)
        s.sendall(b"GET /health HTTP/1.1\r\nHost: ")
        held.append(s)
elif scene == "slow-body":
    for n in range(count):
        s = open_one(n)
        s.sendall(b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + sys.argv[4].encode())
        s.sendall(b"\r\nContent-Length: 100000\r\n\r\n" + b" " * 1000)
        held.append(s)
elif scene == "slow-reader":
    # More answers than the kernel takes for one who reads nothing.
    request = b"GET " + sys.argv[5].encode() + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + sys.argv[4].encode()
    request = (request + b"\r\n\r\n") * 150
    for n in range(count):
        s = open_one(n)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.setblocking(False)
        try:
            s.send(request)
        except BlockingIOError:
            pass
        held.append(s)
elif scene in ("idle", "idle-tls"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for n in range(count):
        s = open_one(n)
        if scene == "idle-tls":
            s = context.wrap_socket(s)
        s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        until(s, b"}")
        held.append(s)
elif scene == "idle-stream":
    for n in range(count):
        held.append(open_stream(n))
elif scene == "busy-stream":
    # Fifteen messages in one burst, each answered, and the first byte of another.
    message = b'{"type":"ping"}'.ljust(4_000)
    burst = (b"\x81\xfe" + len(message).to_bytes(2, "big") + bytes(4) + message) * 15 + b"\x81"
    for n in range(count):
        s = open_stream(n)
        s.sendall(burst)
        got = b""
        while got.count(b"pong") < 15:
            got += s.recv(65536)
        held.append(s)
elif scene == "flood":
    print("ready", flush=True)
    for n in range(count):
        try:
            held.append(open_one(n, "127.0.0.9"))
        except OSError:
            pass
        if len(held) > 400:
            for s in held[:200]:
                s.close()
            held = held[200:]
    print("done", flush=True)
if scene != "flood":
    print("ready", flush=True)
sys.stdin.readline()
