#!/usr/bin/env bash
# In short: a server on a socket made as `socket(AF_INET, SOCK_STREAM)` answers each request of an
#   open connection 40 ms late
# Versions: uvicorn 0.54.0 with h11 0.16.0, Python 3.11.7 (module asyncio), Linux
# Expected: asyncio turns Nagle's algorithm off for every TCP connection, and a socket of that
#   family and kind is TCP: its third argument, the protocol, is seldom given.
# Instead: asyncio asks whether the socket's protocol is IPPROTO_TCP. Of a socket made without one
#   it is 0, a connection that it accepts has 0 too, and the algorithm stays on. The head of a
#   response and its body are two packets; the second waits for the receiver's delayed
#   acknowledgement of the first. Sockets that uvicorn or asyncio make themselves are not concerned.
# Seen:
#   protocol left out: no-delay off, median above 30 ms: True
#   protocol named:    no-delay on, median above 30 ms: False
# Source: `_set_nodelay` in asyncio/base_events.py; seen by running this.
# Matters: a program that takes its port first, so that a second one is refused at once, hands the
#   socket over. Each search as one types, and each picture of a page of hits, came 40 ms late.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'uvicorn==0.54.0' 'h11==0.16.0'
venv/bin/python - <<'PYTHON'
import http.client
import socket
import statistics
import threading
import time

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

BODY = b"x" * 5000
no_delay = []


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"%d" % len(BODY))]})
    await send({"type": "http.response.body", "body": BODY})


class Protocol(H11Protocol):
    def connection_made(self, transport):
        accepted = transport.get_extra_info("socket")
        no_delay.append(bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
        super().connection_made(transport)


def median_ms(protocol):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(app, http=Protocol, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    client = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1])
    took_ms = []
    for _ in range(30):
        began = time.perf_counter()
        client.request("GET", "/")
        client.getresponse().read()
        took_ms.append((time.perf_counter() - began) * 1e3)
    client.close()
    server.should_exit = True
    thread.join(10)
    return statistics.median(took_ms)


seen = []
for name, protocol in (("protocol left out:", 0), ("protocol named:   ", socket.IPPROTO_TCP)):
    is_late = median_ms(protocol) > 30
    seen.append((no_delay[-1], is_late))
    print(f"{name} no-delay {'on' if no_delay[-1] else 'off'}, median above 30 ms: {is_late}")
if seen != [(False, True), (True, False)]:
    raise SystemExit(f"changed: {seen}")
PYTHON
