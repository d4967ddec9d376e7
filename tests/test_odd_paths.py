"""Paths that no file can have, and files that are none: refused in a sentence, and soon."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from indexer.files.hashing import hash_path
from indexer.files.opening import SpecialFileError, open_regular
from recollect import main
from tests.served import Running, running, small_library
from web.library.arguments.paths import named_path
from web.library.errors import LibraryError

VERBS = (["remember"], ["forget"], ["search", "--like"], ["retry"], ["add"])
SOON_S = 20.0  # a loaded machine; what is not refused waits for ever


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("odd")
    folder = base / "lib"
    folder.mkdir()
    (folder / "a.txt").write_text("A boat lies in the river.")
    with small_library(folder, base / "data") as library, running(library) as server:
        yield server


@pytest.fixture(scope="module")
def special(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files that are none: pipes, one with a writer that writes nothing, devices, a socket, files
    of the kernel, a folder."""
    base = tmp_path_factory.mktemp("special")
    for name in ("pipe", "written.png", "sound.wav", ".hidden.txt"):
        os.mkfifo(base / name)
    os.open(base / "written.png", os.O_RDWR | os.O_NONBLOCK)  # to the end of the process
    devices = [Path("/dev/zero"), Path("/dev/random"), Path("/dev/tty"), Path("/dev/ptmx")]
    kernel = [Path("/proc/kmsg"), Path("/proc/self/mem"), Path("/proc/self/fd/0")]
    (base / "link.png").symlink_to(base / "written.png")
    paths = [*base.iterdir(), *devices, *kernel, base]
    return [path for path in paths if os.path.lexists(path)]


# Some of them in the fast suite, all in the slow one.
SHARES = [45, pytest.param(1, marks=pytest.mark.slow)]


def odd_paths(base: Path) -> list[str]:
    """Paths as nobody should name them, made of all that a path may be made of."""
    (base / "loop").symlink_to(base / "pool")
    (base / "pool").symlink_to(base / "loop")
    (base / "self").symlink_to("self")
    (base / "file.txt").write_text("x")
    starts = ["", "~", "~nosuchuser", f"{base}", f"{base}/loop", f"{base}/self", "~root", "/proc"]
    starts += [f"{base}/file.txt", "~\0", "~\n", "//", "C:", "\\\\host", "file://", "~" * 300]
    ends = ["/x", "\0", "/\0/x", "a" * 256, "/" + "ä" * 200, "/b" * 1900, "/../x/../x", "/\udcff"]
    ends += ["/\ud800", "/\uffff", "/\u202e.txt", "/x\n", "/%00", "/%2e%2e/x", "/" + "c" * 4000]
    pairs = [start + end for start in starts for end in ends]
    pieces = [*starts, *ends, "/", "..", "~", "\x7f", "\x1b[2J", " ", "*", "'", '"', "☃"]
    generator = random.Random(16)
    mixed = ["".join(generator.choices(pieces, k=generator.randint(1, 5))) for _ in range(60)]
    return [path for path in dict.fromkeys(pairs + mixed) if not folder_of_this_machine(path)]


def folder_of_this_machine(path: str) -> bool:
    """Whether a folder has this name: it would be watched from then on."""
    try:
        return Path(path).expanduser().is_dir()
    except (ValueError, OSError, RuntimeError):
        return False


def places(app: Any) -> Iterator[tuple[str, str, str, str]]:
    """Where the API takes a text: (method, address, `query`, `path` or `body`, name)."""
    schema = app.openapi()
    for address, methods in schema["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                if "string" in json.dumps(parameter["schema"]):
                    yield method.upper(), address, parameter["in"], parameter["name"]
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            name = body["schema"].get("$ref", "").rpartition("/")[2] if body else ""
            properties = schema["components"]["schemas"][name]["properties"] if name else {}
            for key, described in properties.items():
                if "string" in json.dumps(described):
                    yield method.upper(), address, "body", key
    for name in ("static/", "item/", ""):
        yield "GET", f"/{name}{{name}}", "path", "name"


def asked(
    client: httpx.Client, place: tuple[str, str, str, str], text: str
) -> httpx.Response | None:
    """A request with this text in its place; None where no client can send it there."""
    method, address, part, name = place
    body = {name: text} if part == "body" else None
    if part == "body" and address == "/api/ask":
        body = {"question": "What?", name: text}
    try:
        if part == "path":
            quoted = "".join(f"%{byte:02x}" for byte in os.fsencode(text))
            address = address.replace(f"{{{name}}}", quoted)
        address = address.replace("{item_id}", "0" * 32).replace("{n}", "1")
        return client.request(
            method,
            address,
            params={name: text} if part == "query" else None,
            content=json.dumps(body).encode() if body else None,
            headers={"Content-Type": "application/json"},
        )
    except (UnicodeEncodeError, httpx.InvalidURL):
        return None


@pytest.mark.parametrize("share", SHARES)
def test_fault_67_odd_paths_are_refused_wherever_a_text_is_taken(
    served: Running, tmp_path: Path, share: int
) -> None:
    texts = odd_paths(tmp_path)[::share]
    wanted = {"path", "in", "what"}
    tried = set()
    with served.program() as client:
        for place in places(served.app):
            tried.add(place[3])
            # what is no path is only tried with some
            for text in texts if place[3] in wanted else texts[::9]:
                answer = asked(client, place, text)
                if answer is None:
                    continue
                assert answer.status_code < 500, (place, text[:200], answer.text)
                refused = answer.status_code >= 400 and place[0] != "HEAD"
                if refused and place[1].startswith("/api/"):
                    assert answer.json()["error"]["sentence"], (place, text[:200])
    assert tried >= {*wanted, "item_id", "q", "about", "name"}


def test_fault_33_what_is_no_file_is_never_waited_for(served: Running, special: list[Path]) -> None:
    began = time.monotonic()
    with served.program() as client:
        for place in places(served.app):
            if place[3] not in ("path", "in", "what"):
                continue
            for path in special:
                if place[:2] == ("POST", "/api/roots") and path.is_dir():
                    continue
                answer = asked(client, place, str(path))
                assert answer is not None
                assert answer.status_code < 500, (place, path, answer.text)
        assert client.get("/api/status").status_code == 200, "no worker is lost"
    assert time.monotonic() - began < SOON_S


def test_fault_33_no_worker_is_lost_to_pipes(served: Running, special: list[Path]) -> None:
    """More of them at once than the library has workers."""
    answers: list[int] = []

    def remember(path: Path) -> None:
        with served.program() as client:
            answers.append(client.post("/api/remember", json={"path": str(path)}).status_code)

    threads = [threading.Thread(target=remember, args=[path]) for path in special]
    for thread in threads:
        thread.start()
    with served.program() as client:
        began = time.monotonic()
        assert client.get("/api/status").status_code == 200
        assert time.monotonic() - began < SOON_S
    for thread in threads:
        thread.join(SOON_S)
    assert answers == [404] * len(special)


def test_fault_33_an_example_that_is_no_file_is_refused(
    served: Running, special: list[Path], tmp_path: Path
) -> None:
    huge = tmp_path / "huge.png"
    huge.touch()
    os.truncate(huge, 1 << 40)
    for path in [*special, huge, tmp_path / "not there.png"]:
        began = time.monotonic()
        with pytest.raises(LibraryError) as refused:
            served.library.search("", like=path, by="all")
        assert refused.value.code == "example", path
        assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize("share", SHARES)
def test_fault_33_the_terminal_waits_for_no_pipe(
    special: list[Path], tmp_path: Path, share: int
) -> None:
    for path in [*special, tmp_path / "loop"][::share]:
        for verb in VERBS:
            if verb == ["add"] and path.is_dir():
                continue
            result = CliRunner().invoke(main, ["--data", str(tmp_path / "data"), *verb, str(path)])
            assert result.exit_code == 1, (verb, path, result.output)
            assert isinstance(result.exception, SystemExit), (verb, path, result.exception)


def test_only_a_regular_file_is_opened(special: list[Path], tmp_path: Path) -> None:
    for path in special:
        if path.is_symlink():
            with pytest.raises(OSError, match="symbolic"):
                open_regular(path)
        elif str(path).startswith("/proc/"):
            assert hash_path(os.fsencode(path)) in (None, hash_path(b"/proc/self/status"))
        else:
            with pytest.raises(SpecialFileError):
                open_regular(path)
            assert hash_path(os.fsencode(path)) is None
    sparse = tmp_path / "sparse"
    sparse.touch()
    os.truncate(sparse, 1 << 40)
    began = time.monotonic()
    assert hash_path(os.fsencode(sparse), within_s=0.2) is None
    assert hash_path(os.fsencode(sparse), most_bytes=1 << 30) is None
    assert time.monotonic() - began < SOON_S


def test_a_path_may_lead_nowhere_yet(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "to nowhere").symlink_to("nowhere")
    for good in ("not there", "not/there/either", "to nowhere", "\udcff"):
        assert named_path(tmp_path / good) == tmp_path / good
    for bad in ("loop", "loop/x", "a" * 300, "a\0", "\ud800"):
        with pytest.raises(LibraryError):
            named_path(tmp_path / bad)
    with pytest.raises(LibraryError, match="no such user"):
        named_path("~nosuchuser/x")
