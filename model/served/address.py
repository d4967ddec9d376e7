"""Where an engine listens, and by which name its model is asked for."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from model.interface import ModelError

LOOPBACK_NAME = "localhost"


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """An OpenAI-style endpoint. `url` ends where `/chat/completions` is added, mostly in `/v1`.
    Without `name` the first model that the engine lists is asked. Vectors come from
    `embeddings_url` where that is set. Raises ModelError where a URL cannot be one."""

    url: str
    name: str = ""
    key: str = field(default="", repr=False)
    embeddings_url: str = ""
    embeddings_name: str = ""
    embeddings_key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for url in filter(None, (self.url, self.embeddings_url)):
            _check(url)

    @property
    def label(self) -> str:
        """How the model is called where no engine has been asked yet."""
        return f"{self.name} at {self.url}" if self.name else self.url

    @property
    def remote_hosts(self) -> tuple[str, ...]:
        """The other machines that questions and files go to; none where all stays here."""
        hosts = [urlsplit(url).hostname or "" for url in (self.url, self.embeddings_url) if url]
        return tuple(dict.fromkeys(host for host in hosts if not is_loopback(host)))


def is_url(model: str) -> bool:
    """Whether a model is named by the address of an engine."""
    return model.startswith(("http://", "https://"))


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by its name alone; no name is looked up."""
    if host == LOOPBACK_NAME:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = bool(is_url(url) and parts.hostname and not parts.query and not parts.fragment)
        usable = usable and parts.username is None and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ModelError(
            f"{url} is not the address of an engine; give one like http://127.0.0.1:8080/v1, and a "
            "key with key = in the [model] section of config.toml."
        )
