"""`recollect serve`: one process that holds the library, keeps it up to date and serves it."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexer.files.disk_room import disk_error
from indexer.files.lock import LibraryLock
from indexer.files.mounts import Mount, mount_of
from model.errors import RecollectError
from web.library.errors import LibraryError

if TYPE_CHECKING:
    from web.library.library import Library

STATIC = Path(__file__).parents[1] / "static"
STOPPING_S = 3.0  # from the signal to the end of the process, whatever it may be waiting for
LINK_S = 1.0  # how long another server may take to give a link that opens one more browser
CLOSING_S = 2.5  # the same where no signal ended it: from the fault on


def serve_library(
    build: Callable[[], Library],
    data: Path,
    folders: Sequence[Path],
    port: int,
    open_browser: bool,
) -> None:
    """Serves until it is stopped. Raises LibraryError when another process serves the library, with
    a fresh link to it, or when the port cannot be opened."""
    lock = LibraryLock(data)
    _refuse_second(lock)
    if warning := network_warning(data):
        click.echo(warning, err=True)
    with lock:  # before anything heavy is imported: a second server is refused at once
        from web.cli.output.phrases import coverage_sentence
        from web.http.app import create_app
        from web.http.security import load_or_create_token
        from web.http.server import bind_loopback, port_of, run_server

        listener = bind_loopback(port)
        port = port_of(listener)
        library = build()
        try:
            for folder in folders:
                library.add(str(folder))
            token = load_or_create_token(data / "token")
            app = create_app(library, static=STATIC, token=token, port=port)

            def started() -> None:
                lock.announce(f"http://127.0.0.1:{port}", token)
                library.service.start()
                library.warm()
                link = app.state.launch_url()
                coverage = library.status()["coverage"]
                if coverage["files"]:
                    click.echo(coverage_sentence(coverage), err=True)
                click.echo(f"Recollect is at {link}")
                click.echo("Ctrl-C stops it.", err=True)
                if open_browser and _has_display():
                    webbrowser.open(link)

            run_server(
                app,
                listener,
                started=started,
                stopping=lambda: _exit_after(STOPPING_S),
                report=lambda line: click.echo(line, err=True),
            )
        finally:
            if problem := sys.exc_info()[1]:
                _exit_after(CLOSING_S, problem)
            library.close()


def _exit_after(wait_s: float, problem: BaseException | None = None) -> None:
    """Ends the process after `wait_s`, whatever it may still be waiting for (loading a model
    cannot be stopped), and says what `problem` ended it, if one did. What was unfinished is taken
    up at the next start, as after a kill."""

    def end() -> None:
        if problem is not None:
            click.echo(f"Error: {_ending_sentence(problem)}", err=True)
        os._exit(0 if problem is None else 1)

    timer = threading.Timer(wait_s, end)
    timer.daemon = True
    timer.start()


def _ending_sentence(problem: BaseException) -> str:
    error = problem if isinstance(problem, RecollectError) else disk_error(problem)
    if error is not None:
        return error.sentence
    return f"Recollect was ended by a fault ({type(problem).__name__}); start it again."


def _refuse_second(lock: LibraryLock) -> None:
    holder = lock.holder()
    if holder is None or holder.url is None:
        return
    from web.library.client import Client

    with Client(holder.url, holder.token, patience_s=LINK_S) as client:
        try:
            cure = f"Open it at {client.launch_link()}"
        except LibraryError:
            cure = "It does not answer at the moment; wait for it, or stop it."
    raise LibraryError("held", f"This library is already served by process {holder.pid}. {cure}")


def network_warning(data: Path, mounts: Iterable[Mount] | None = None) -> str | None:
    """A sentence when the data directory lies on a network, where locks and syncing may fail."""
    mount = mount_of(data.expanduser().resolve(), mounts)
    if mount is None or not mount.network:
        return None
    return (
        f"The data directory {data} lies on a network ({mount.type}). Two machines might write to "
        "it at once, and a cut connection can damage it; name one on this machine with --data."
    )


def _has_display() -> bool:
    """Without one, a text browser would take over the terminal."""
    graphical = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or bool(graphical)
