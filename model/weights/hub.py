"""The model hub: the list of a model's files, and the download of one. The one place that goes
online, and only for a pull. Importing this imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from model.interface import ModelError
from model.weights.published import DEFAULT

WANTED = re.compile(r"[\w.-]+\.(safetensors|json|jinja)|tokenizer\.model|LICENSE|README\.md")
BLOCK_BYTES = 1 << 20
# After so many connections in a row that bring nothing, a download fails.
MOST_TRIES = 5
PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on the hub. `digest` is its sha256, or for small files git's sha1 of it."""

    name: str
    size_bytes: int
    digest: str


@contextmanager
def network_allowed() -> Iterator[None]:
    """Meanwhile the hub's library may go online; everywhere else it may not."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def list_remote_files(
    name: str, revision: str | None, optional: bool
) -> tuple[str, list[RemoteFile]]:
    """The commit of a model, and the files of it that are wanted. Empty where there is none and it
    is `optional`."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    try:
        info = HfApi().model_info(name, revision=revision, files_metadata=True, timeout=30)
    except RepositoryNotFoundError as why:
        if optional:
            return "", []
        raise ModelError(
            f"The hub has no model called {name}, or shows it to members only; "
            f"check the name, such as {DEFAULT}."
        ) from why
    except HfHubHTTPError as why:
        status = why.response.status_code
        if status in (401, 403):
            raise ModelError(
                f"The hub does not give {name} to everybody (status {status}); accept its terms on "
                "its page, then sign in with `hf auth login`."
            ) from why
        raise ModelError(f"The hub answered with status {status}; try again later.") from why
    except Exception as why:
        _unreachable(why)
    files = []
    for sibling in info.siblings or []:
        if not WANTED.fullmatch(sibling.rfilename):
            continue
        digest = sibling.lfs.sha256 if sibling.lfs is not None else sibling.blob_id
        if sibling.size is None or not digest:
            raise ModelError(f"The hub names no hash of {sibling.rfilename} of {name}; not pulled.")
        files.append(RemoteFile(sibling.rfilename, int(sibling.size), digest))
    return str(info.sha), files


def download_file(
    name: str, revision: str, remote: RemoteFile, target: Path, on_progress: Callable[[int], None]
) -> None:
    """Append what is missing to `target`; connect again as long as each connection brings bytes."""
    from huggingface_hub import get_session, hf_hub_url, hf_raise_for_status
    from huggingface_hub.utils._headers import build_hf_headers

    url = hf_hub_url(name, remote.name, revision=revision)
    tries = 0
    while True:
        stored_bytes = target.stat().st_size if target.is_file() else 0
        if stored_bytes == remote.size_bytes and target.is_file():
            return
        if stored_bytes > remote.size_bytes:
            target.unlink()
            stored_bytes = 0
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if stored_bytes:
            headers["Range"] = f"bytes={stored_bytes}-"
        try:
            with (
                get_session().stream("GET", url, headers=headers, follow_redirects=True,
                                     timeout=30) as response,
                target.open("ab") as file,
            ):  # fmt: skip
                hf_raise_for_status(response)
                if stored_bytes and response.status_code != 206:
                    file.truncate(0)
                    stored_bytes = 0
                for block in response.iter_bytes():
                    file.write(block)
                    stored_bytes += len(block)
                    tries = 0
                    on_progress(stored_bytes)
            if stored_bytes == remote.size_bytes:
                continue
            why: Exception | None = None
        except OSError as problem:
            if problem.errno is not None:  # an error of the disk, not of the connection
                raise
            why = problem
        except Exception as problem:
            why = problem
        tries += 1
        if tries >= MOST_TRIES:
            raise ModelError(
                f"The connection broke while {remote.name} of {name} was fetched, "
                f"{stored_bytes:,} of {remote.size_bytes:,} bytes are here and kept; run the same "
                "command again to go on."
            ) from why
        time.sleep(PATIENCE_S * 2 ** (tries - 1))


def file_digest(file: Path, remote: RemoteFile) -> str:
    """sha256 of a large file; of a small one the sha1 that git gives it."""
    if len(remote.digest) == 64:
        content_hash = hashlib.sha256()
    else:
        content_hash = hashlib.sha1(usedforsecurity=False)
        content_hash.update(f"blob {remote.size_bytes}\0".encode())
    with file.open("rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            content_hash.update(block)
    return content_hash.hexdigest()


def _unreachable(why: Exception) -> NoReturn:
    raise ModelError(
        f"The hub cannot be reached ({type(why).__name__}); check the connection. A model that is "
        "here already works without one, and any directory does: --model DIRECTORY."
    ) from why
