"""Who is let in: host names, keys, origins, content types; and what every answer carries."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from tests.library import until
from tests.served import Running, running, small_library
from web.http import connections
from web.http.admission import MAX_JSON_BYTES
from web.http.security import MAX_OPEN_CODES, SECURITY_HEADERS, Keys, new_token


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("security")
    (base / "files").mkdir()
    with small_library(base / "files", base / "data") as library, running(library) as server:
        yield server


def exchange(port: int, head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Sends bytes as they are, which no client library would; (status, headers, body)."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        text = head.replace("\n", "\r\n") + "\r\nConnection: close\r\n\r\n"
        connection.sendall(text.encode("latin-1") + body)
        answer = b""
        while more := connection.recv(65_536):
            answer += more
    top, _, rest = answer.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, rest


def fetch(served: Running, path: str = "/api/status", *lines: str, method: str = "GET") -> int:
    """The status of a keyed request with exactly these further lines."""
    head = [f"{method} {path} HTTP/1.1", f"Authorization: Bearer {served.token}"]
    if not any(line.lower().startswith("host:") for line in lines):
        head.append(f"Host: 127.0.0.1:{served.port}")
    return exchange(served.port, "\n".join([*head, *lines]))[0]


# --- host


@pytest.mark.parametrize(
    "host", ["127.0.0.1:PORT", "localhost:PORT", "[::1]:PORT", "LocalHost:PORT"]
)
def test_own_hosts(served: Running, host: str) -> None:
    assert fetch(served, "/api/status", f"Host: {host.replace('PORT', str(served.port))}") == 200


@pytest.mark.parametrize("path", ["/", "/api/status", "/static/theme.js", "/none", "/?code=x"])
@pytest.mark.parametrize(
    "host",
    [
        "evil.example:PORT",
        "127.0.0.1",
        "localhost",
        "localhost:1",
        "127.0.0.1:PORT.evil.example",
        "evil.example#127.0.0.1:PORT",
        "127.0.0.1:PORT@evil.example",
        "localhost.:PORT",
        "0.0.0.0:PORT",
        "[::1]",
        "::1:PORT",
        "[::ffff:127.0.0.1]:PORT",
        "127.1:PORT",
        "",
    ],
)
def test_other_hosts(served: Running, host: str, path: str) -> None:
    head = f"GET {path} HTTP/1.1\nHost: {host.replace('PORT', str(served.port))}"
    status, _, body = exchange(served.port, f"{head}\nAuthorization: Bearer {served.token}")
    assert (status, body) == (421, b"")


def test_other_ways_to_name_a_host(served: Running) -> None:
    own = f"127.0.0.1:{served.port}"
    forwarded = ("X-Forwarded-Host: 127.0.0.1", "Forwarded: host=127.0.0.1")
    assert fetch(served, "/", "Host: evil.example", *forwarded) == 421
    assert fetch(served, "/", f"Host: {own}", "Host: evil.example") in (400, 421)
    status, _, body = exchange(served.port, f"GET / HTTP/1.0\nAuthorization: Bearer {served.token}")
    assert (status, body) == (421, b"")
    assert fetch(served, "http://evil.example/", f"Host: {own}") == 404


# --- keys


def test_without_a_key(served: Running) -> None:
    with served.stranger() as client:
        for path in ("/api/status", "/api/none", "/api/items/" + "a" * 26, "/mcp", "/v1/models"):
            answer = client.get(path)
            assert answer.status_code == 401
            error = answer.json()["error"]
            sentence = error["message" if path.startswith("/v1/") else "sentence"]
            assert "`Authorization: Bearer KEY`" in sentence  # what a program is to do
            assert "`recollect token`" in sentence
        page = client.get("/api/status", headers={"Sec-Fetch-Site": "same-origin"})
        assert "link" in page.json()["error"]["sentence"]  # what a person is to do
        for path in ("/", "/library", "/static/theme.js", "/none"):
            answer = client.get(path)
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            assert "Open the link that Recollect printed" in answer.text
        assert client.post("/api/roots", json={"path": "/"}).status_code == 401


def test_wrong_keys(served: Running) -> None:
    with served.stranger() as client:
        for header in (
            f"Bearer {new_token()}",
            "Bearer",
            f"Basic {served.token}",
            served.token,
            f"Bearer {served.token[:-1]}",
            f"Bearer {served.token}x",
        ):
            assert client.get("/api/status", headers={"Authorization": header}).status_code == 401
        name = f"recollect-{served.port}"
        for cookie in ("", "0" * 64, served.token):
            assert (
                client.get("/api/status", headers={"Cookie": f"{name}={cookie}"}).status_code == 401
            )


def test_a_link_opens_one_browser_once(served: Running) -> None:
    link = served.launch_url()
    with served.stranger() as first, served.stranger() as second:
        entered = first.get(link)
        assert entered.status_code == 303
        assert entered.headers["location"] == "/"
        cookie = entered.headers["set-cookie"]
        assert cookie.startswith(f"recollect-{served.port}=")
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert served.token not in cookie
        assert first.get("/").status_code == 200
        again = first.get(link)  # with its cookie, the browser may come back by the old link
        assert (again.status_code, again.headers["location"]) == (303, "/")
        assert "set-cookie" not in again.headers
        refused = second.get(link)
        assert refused.status_code == 401
        assert "recollect serve" in refused.text


def test_a_link_keeps_the_rest_of_its_address(served: Running) -> None:
    code = served.launch_url().partition("code=")[2]
    with served.stranger() as client:
        entered = client.get(f"/item/abc?page=3&code={code}&q=a%26b")
        assert entered.headers["location"] == "/item/abc?page=3&q=a%26b"


def test_a_link_leads_nowhere_else(served: Running) -> None:
    code = served.launch_url().partition("code=")[2]
    for path in (f"//evil.example/item/?code={code}", f"/item//evil.example?code={code}"):
        _, headers, _ = exchange(served.port, f"GET {path} HTTP/1.1\nHost: 127.0.0.1:{served.port}")
        assert not headers.get("location", "/").startswith(("//", "http"))


def test_only_a_page_takes_a_code(served: Running) -> None:
    link = served.launch_url()
    code = link.partition("code=")[2]
    with served.stranger() as client:
        assert client.head(f"/?code={code}").status_code == 401
        assert client.post(f"/?code={code}").status_code == 401
        assert client.get(f"/api/status?code={code}").status_code == 401
        assert client.get(link).status_code == 303  # none of them used it up


def test_a_program_asks_for_a_fresh_link(served: Running) -> None:
    with served.program() as program, served.stranger() as browser:
        link = program.post("/api/launch", json={}).json()["url"]
        assert browser.get(link).status_code == 303
    with served.stranger() as client:
        assert client.post("/api/launch", json={}).status_code == 401


def test_codes_do_not_pile_up() -> None:
    keys = Keys(new_token(), 1)
    codes = [keys.launch_code() for _ in range(MAX_OPEN_CODES + 1)]
    assert [keys.redeem(code) for code in codes] == [False, *[True] * MAX_OPEN_CODES]
    assert not any(keys.redeem(code) for code in codes)
    assert not keys.redeem("\udcff")


def test_a_new_token_ends_sessions() -> None:
    before, after = Keys(new_token(), 1), Keys(new_token(), 1)
    headers = Headers({"cookie": f"a=b; {before.cookie_name}={before.cookie}"})
    assert before.has_cookie(headers)
    assert not after.has_cookie(headers)


def test_a_token_is_long() -> None:
    with pytest.raises(ValueError, match="256 bits"):
        Keys("short", 1)
    assert len({new_token() for _ in range(50)}) == 50


# --- other sites


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Sec-Fetch-Site: same-origin", 200),
        ("Sec-Fetch-Site: none", 200),
        ("Sec-Fetch-Site: cross-site", 403),
        ("Sec-Fetch-Site: same-site", 403),
        ("Origin: http://127.0.0.1:PORT", 200),
        ("Origin: http://localhost:PORT", 403),  # another origin than the host that was asked
        ("Origin: https://127.0.0.1:PORT", 403),
        ("Origin: http://127.0.0.1", 403),
        ("Origin: http://127.0.0.1:PORT.evil.example", 403),
        ("Origin: http://evil.example", 403),
        ("Origin: null", 403),
        ("Origin: ", 403),
    ],
)
@pytest.mark.parametrize("path", ["/api/status", "/", "/static/theme.js"])
def test_other_sites(served: Running, line: str, status: int, path: str) -> None:
    assert fetch(served, path, line.replace("PORT", str(served.port))) == status


def test_a_browser_changes_things_from_our_page_only(served: Running) -> None:
    with served.browser() as browser:
        assert browser.post("/api/retry", json={"path": None}).status_code == 200
        del browser.headers["Origin"]
        assert browser.get("/api/status").status_code == 200
        refused = browser.post("/api/retry", json={"path": None})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "origin")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/jsonx",
        "image/png",
        "",
    ],
)
def test_only_json_is_taken(served: Running, kind: str) -> None:
    with served.browser() as browser:
        body = json.dumps({"path": None}).encode()
        answer = browser.post("/api/retry", content=body, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "content_type")
        kinds = {"Content-Type": "Application/JSON; charset=utf-8"}
        assert browser.post("/api/retry", content=body, headers=kinds).status_code == 200


def test_nothing_is_shared_across_origins(served: Running) -> None:
    asking = ("Origin: http://evil.example", "Access-Control-Request-Method: POST")
    assert fetch(served, "/api/retry", *asking, method="OPTIONS") == 403
    own = f"Origin: {served.url}"
    for method in ("GET", "OPTIONS", "HEAD"):
        _, headers, _ = exchange(
            served.port,
            f"{method} /api/status HTTP/1.1\nHost: 127.0.0.1:{served.port}\n{own}\n"
            f"Authorization: Bearer {served.token}",
        )
        assert not [name for name in headers if name.startswith("access-control")]


# --- what every answer carries


@pytest.mark.parametrize(
    "path", ["/", "/api/status", "/api/none", "/static/theme.js", "/none", "/api/search?limit=x"]
)
def test_fences(served: Running, path: str) -> None:
    with served.browser() as browser, served.stranger() as stranger:
        for answer in (browser.get(path), stranger.get(path)):
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            for name, value in SECURITY_HEADERS.items():
                if name not in ("content-security-policy", "cache-control"):
                    assert answer.headers[name] == value
            assert answer.headers["cache-control"] in ("no-store", "no-cache")
            assert "server" not in answer.headers
    _, headers, _ = exchange(served.port, "GET / HTTP/1.1\nHost: evil.example")
    assert headers["x-content-type-options"] == "nosniff"


def test_the_page_is_under_the_strict_policy(served: Running) -> None:
    with served.browser() as browser:
        policy = browser.get("/").headers["content-security-policy"].split("; ")
    assert "require-trusted-types-for 'script'" in policy
    assert "trusted-types 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "img-src 'self' blob:" in policy


def test_the_door_shows_its_style(served: Running) -> None:
    """The hash in its policy is that of the style it has."""
    import base64
    import hashlib

    with served.stranger() as client:
        door = client.get("/")
    style = re.search(r"<style>(.*?)</style>", door.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert f"'sha256-{digest}'" in door.headers["content-security-policy"]


# --- malice below HTTP


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2fapp.py",
        "/static/..%5capp.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/vendor/../../app.py",
        "/api/items/..%2f..%2fetc%2fpasswd/original",
        "/api/items/%00/thumb",
        "/%ff%fe",
        "/item/../../etc/passwd",
    ],
)
def test_no_way_out(served: Running, path: str) -> None:
    assert fetch(served, path) in (404, 200)
    status, _, body = exchange(
        served.port,
        f"GET {path} HTTP/1.1\nHost: 127.0.0.1:{served.port}\nAuthorization: Bearer {served.token}",
    )
    assert b"import " not in body.replace(b"imports", b"")
    assert b"root:" not in body
    assert status == 404 or b"<title>Recollect</title>" in body


def test_no_websocket(served: Running) -> None:
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    assert fetch(served, "/api/status", *upgrade, "Sec-WebSocket-Key: eA==") == 200


def test_a_head_that_is_too_long(served: Running) -> None:
    for many in (40_000, 100_000):
        assert fetch(served, "/api/status", f"X: {'y' * many}") in (400, 431)
        assert fetch(served, f"/api/search?q={'y' * many}") in (400, 431)


def test_lengths_that_lie(served: Running) -> None:
    head = (
        f"POST /api/retry HTTP/1.1\nHost: 127.0.0.1:{served.port}\nContent-Type: application/json"
    )
    head += f"\nAuthorization: Bearer {served.token}"
    assert exchange(served.port, f"{head}\nContent-Length: -1", b"{}")[0] == 400
    assert exchange(served.port, f"{head}\nContent-Length: {MAX_JSON_BYTES + 1}")[0] == 413
    assert exchange(served.port, f"{head}\nContent-Length: 99999999999999999999")[0] in (400, 413)
    both = f"{head}\nContent-Length: 2\nTransfer-Encoding: chunked"
    assert exchange(served.port, both, b"0\r\n\r\n")[0] in (400, 422)


def test_a_head_that_never_ends(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADERS_S", 0.3)
    for begun in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: "):
        with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
            connection.sendall(begun)
            with suppress(ConnectionResetError):
                assert connection.recv(100) == b""


def test_a_body_that_never_ends(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from web.http import admission

    monkeypatch.setattr(admission, "BODY_S", 0.3)
    head = (
        f"POST /api/retry HTTP/1.1\nHost: 127.0.0.1:{served.port}\nContent-Type: application/json"
    )
    head += f"\nAuthorization: Bearer {served.token}\nContent-Length: 100"
    assert exchange(served.port, head, b"{")[0] == 408


def test_a_slow_head_on_a_kept_connection(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADERS_S", 0.3)
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
        assert b" 401 " in connection.recv(65_536)
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        with suppress(ConnectionResetError):
            while connection.recv(65_536):
                pass


# --- connections


def test_fault_77_idle_connections_without_a_key_cost_the_owner_no_request(served: Running) -> None:
    """More than there may be at once: half say nothing, half were refused and stay."""
    request = f"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode()
    with ExitStack() as opened, served.program() as api:
        assert api.get("/api/status").status_code == 200  # on a connection that is kept
        for number in range(connections.MAX_CONNECTIONS + 44):
            address = ("127.0.0.1", served.port)
            stranger = opened.enter_context(socket.create_connection(address, timeout=60))
            if number % 2:
                stranger.sendall(request)
        for _ in range(3):
            assert api.get("/api/status").status_code == 200
            assert fetch(served) == 200


def test_fault_77_beyond_all_that_can_be_served_one_is_told_to_come_again(
    served: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 3)
    with ExitStack() as opened:
        api = opened.enter_context(served.program())
        streams = [
            opened.enter_context(api.stream("GET", "/api/status?stream=1")).iter_lines()
            for _ in range(connections.MAX_CONNECTIONS)
        ]
        for lines in streams:  # all are kept: an iterator that goes ends its stream
            next(lines)
        status, headers, body = exchange(served.port, "GET / HTTP/1.1")
        assert status == 429
        assert int(headers["retry-after"]) > 0
        assert json.loads(body)["error"]["code"] == "busy"
    until(lambda: fetch(served) == 200)


# --- the socket


def test_a_port_in_use(served: Running) -> None:
    from web.http.server import bind_loopback
    from web.library.errors import LibraryError

    with pytest.raises(LibraryError, match=r"already in use\. Choose another with --port\."):
        bind_loopback(served.port)


def test_only_this_machine_is_served(tmp_path: Path) -> None:
    from web.http.server import bind_loopback

    with bind_loopback(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_response_is_not_held_back_for_its_second_packet() -> None:
    from web.http.server import bind_loopback

    no_delay: list[int] = []

    async def accept_one() -> None:
        accepted = asyncio.Event()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            no_delay.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()
            accepted.set()

        async with await asyncio.start_server(connected, sock=bind_loopback(0)) as server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            await accepted.wait()
            writer.close()

    asyncio.run(accept_one())
    assert no_delay == [1]


def test_errors_are_told_without_content(
    served: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from web.library.library import Library

    def fail(library: Library) -> None:
        raise RuntimeError("/home/somebody/secret.txt")

    monkeypatch.setattr(Library, "model", fail)
    with served.program() as client:
        assert client.get("/api/model").status_code == 500
    (record,) = [entry for entry in caplog.records if entry.name == "recollect.web"]
    assert "RuntimeError while answering GET" in record.getMessage()
    assert "secret" not in caplog.text
