"""A bot or an agent at /v1/stream, with the client library of PyPI `websockets`.

usage: stream.py [wss:]PORT TOKEN header|frame [ORIGIN]
Each line on stdin is sent as a text frame; each frame received is a line on stdout. `close` on stdin closes.
"""
import asyncio
import json
import ssl
import sys

import websockets


async def main(port, token, how, origin=None):
    headers = {"Authorization": "Bearer " + token} if how == "header" else {}
    scheme, _, number = port.rpartition(":")
    trusting = None
    if scheme:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    try:
        socket = await websockets.connect(
            f"{scheme or 'ws'}://127.0.0.1:{number}/v1/stream", additional_headers=headers, origin=origin,
            ssl=trusting)
    except websockets.InvalidStatus as refused:
        print(json.dumps({"refused": refused.response.status_code}), flush=True)
        return
    if how == "frame":
        await socket.send(json.dumps({"type": "auth", "token": token}))

    async def hear():
        try:
            async for message in socket:
                print(message, flush=True)
        except websockets.ConnectionClosed:
            pass
        closed = {"closed": socket.close_code}
        if (socket.close_code or 0) >= 4000:  # an application's own, which says more than the registry
            closed["reason"] = socket.close_reason
        print(json.dumps(closed), flush=True)

    async def say():
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := (await lines.readline()).decode().strip():
            if line == "close":
                break
            await socket.send(line)
        await socket.close()

    hearing, saying = asyncio.create_task(hear()), asyncio.create_task(say())
    await hearing
    saying.cancel()


asyncio.run(main(*sys.argv[1:]))
