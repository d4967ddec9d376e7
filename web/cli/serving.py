"""`recollect serve`: one process that holds the library, keeps it up to date and serves it."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click

from indexer.files.lock import LibraryLock
from indexer.files.mounts import Mount, mount_of
from web.cli.output.phrases import coverage_sentence
from web.http.app import create_app
from web.http.security import load_or_create_token
from web.http.server import bind_loopback, port_of, run_server
from web.library.client import Client
from web.library.errors import LibraryError
from web.library.library import Library

STATIC = Path(__file__).parents[1] / "static"
CLOSING_S = 2.5  # with what the server itself may take, a stop takes less than five seconds


def serve_library(
    wire: Callable[[], Library],
    data: Path,
    folders: Sequence[Path],
    port: int,
    open_browser: bool,
) -> None:
    """Serves until it is told to stop. Raises LibraryError when another process holds the
    library, with a fresh link to it, or when the port cannot be had."""
    lock = LibraryLock(data)
    _refuse_second(lock)
    if said := network_warning(data):
        click.echo(said, err=True)
    with lock:
        listener = bind_loopback(port)
        port = port_of(listener)
        library = wire()
        try:
            for folder in folders:
                library.add(str(folder))
            token = load_or_create_token(data / "token")
            app = create_app(library, static=STATIC, token=token, port=port)

            def started() -> None:
                lock.announce(f"http://127.0.0.1:{port}", token)
                library.warm()
                library.keeper.start()
                link = app.state.launch_url()
                coverage = library.status()["coverage"]
                if coverage["files"]:
                    click.echo(coverage_sentence(coverage), err=True)
                click.echo(f"Recollect is at {link}")
                click.echo("Ctrl-C stops it.", err=True)
                if open_browser and _has_screen():
                    webbrowser.open(link)

            run_server(app, listener, started=started, tell=lambda line: click.echo(line, err=True))
        finally:
            _end_soon(0 if sys.exc_info()[0] is None else 1)
            library.close()


def _end_soon(code: int) -> None:
    """Ends the process a little later, whatever it may still be waiting for (a model that is being
    loaded cannot be told to stop). What was unfinished is taken up at the next start, as after a
    kill."""
    clock = threading.Timer(CLOSING_S, os._exit, [code])
    clock.daemon = True
    clock.start()


def _refuse_second(lock: LibraryLock) -> None:
    held = lock.holder()
    if held is None or held.url is None:
        return
    with Client(held.url, held.token) as client:
        link = client.launch_link()
    raise LibraryError(
        "held", f"This library is already served by process {held.pid}. Open it at {link}"
    )


def network_warning(data: Path, among: Iterable[Mount] | None = None) -> str | None:
    """A sentence when the data directory lies on a network: locks and syncing are doubtful."""
    mount = mount_of(data.expanduser().resolve(), among)
    if mount is None or not mount.network:
        return None
    return (
        f"The data directory {data} lies on a network ({mount.type}). Two machines might write to "
        "it at once, and a cut connection can damage it; name one on this machine with --data."
    )


def _has_screen() -> bool:
    """Without one, a text browser would take over the terminal."""
    graphical = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or bool(graphical)
