"""Clients under TLS, of Python's own making.

usage: tls.py SCENE PORT [ARGUMENT...]
"""
import hashlib
import smtplib
import socket
import ssl
import subprocess
import sys
import time


def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    return c


def plain():
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def fingerprint(s):
    return hashlib.sha256(s.getpeercert(True)).hexdigest()


def lines(s, count):
    """So many replies, each as its lines."""
    got = b""
    while sum(1 for l in got.split(b"\r\n") if len(l) > 3 and l[3:4] == b" ") < count:
        more = s.recv(4096)
        if not more:
            break
        got += more
    return got.decode().split("\r\n")[:-1]


def mail(kind):
    """A mail over STARTTLS with smtplib, whose EHLO before and after tells what is offered."""
    client = kind("127.0.0.1", port, timeout=60)
    client.ehlo()
    print("offered", client.has_extn("starttls"))
    client.starttls(context=context())
    client.ehlo()
    print("offered again", client.has_extn("starttls"))
    text = "From: Mia <mia@home.example>\r\nTo: help@shop.example\r\nSubject: secret\r\nMessage-ID: <%s@home.example>\r\n\r\nhello\r\n"
    refused = client.sendmail("mia@home.example", ["help@shop.example"], text % kind.__name__)
    print("refused", refused)
    client.quit()


def injected(hello):
    """CVE-2011-0411: commands in plain behind STARTTLS, in one segment."""
    s = plain()
    lines(s, 1)
    s.sendall(hello.encode() + b" home.example\r\n")
    lines(s, 1)
    s.sendall(b"STARTTLS\r\n" + hello.encode() + b" injected.example\r\nMAIL FROM:<eve@evil.example>\r\n")
    print("\n".join(lines(s, 1)))
    s = context().wrap_socket(s)
    # Had the commands been kept, their replies would come now, before ours.
    s.sendall(b"RCPT TO:<help@shop.example>\r\n")
    print(lines(s, 1)[0][:3])
    s.sendall(hello.encode() + b" home.example\r\n")
    print(lines(s, 1)[-1][:3])
    s.sendall(b"STARTTLS\r\n")
    print(lines(s, 1)[0][:3])


def reload(pid, chain, key, fresh_chain, fresh_key):
    """SIGHUP with new files: newcomers see them, who is there stays."""
    first = context().wrap_socket(plain())
    old = fingerprint(first)
    for a, b in ((fresh_chain, chain), (fresh_key, key)):
        with open(a) as source, open(b, "w") as target:
            target.write(source.read())
    subprocess.run(["kill", "-HUP", pid], check=True)
    end = time.monotonic() + 60
    while (new := fingerprint(context().wrap_socket(plain()))) == old and time.monotonic() < end:
        time.sleep(0.01)
    print("changed", new != old)
    first.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    print(first.recv(4096).split(b"\r\n")[0].decode())


def farewell(token):
    """How connections end whose time is over: told is what the server says of it (close_notify)."""
    get = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    stream = (
        "GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer " + token + "\r\n\r\n").encode()
    for name, first in (("silent", b""), ("idle", get), ("idle 1.2", get), ("stream", stream)):
        c = context()
        if name == "idle 1.2":
            c.maximum_version = ssl.TLSVersion.TLSv1_2
        s = c.wrap_socket(plain(), suppress_ragged_eofs=False)
        s.sendall(first)
        try:
            while s.recv(4096):
                pass
            print(name, "told")
        except OSError as e:
            print(name, e)


scene, port = sys.argv[1], int(sys.argv[2])
if scene == "smtp":
    mail(smtplib.SMTP)
elif scene == "lmtp":
    mail(smtplib.LMTP)
elif scene == "injected":
    injected(sys.argv[3])
elif scene == "farewell":
    farewell(sys.argv[3])
elif scene == "reload":
    reload(*sys.argv[3:])
