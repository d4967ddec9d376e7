"""The library in this process and the one behind a server: the same commands, called alike."""

from __future__ import annotations

import inspect
from typing import get_type_hints

import pytest

from web.library.client import Client, ConversationsClient
from web.library.conversations.conversations import Conversations
from web.library.library import Library
from web.library.protocol import ConversationsProtocol, LibraryProtocol, ServableLibrary

COMMANDS = sorted(
    name
    for name, value in vars(LibraryProtocol).items()
    if callable(value) and not name.startswith("_")
)
OF_CONVERSATIONS = sorted(name for name in vars(ConversationsProtocol) if not name.startswith("_"))


def test_the_protocol_holds_every_command() -> None:
    assert {"search", "ask", "status", "add", "forget", "verify"} <= set(COMMANDS)


@pytest.mark.parametrize(
    ("protocol", "implementation", "command"),
    [
        *((LibraryProtocol, Library, command) for command in COMMANDS),
        *((LibraryProtocol, Client, command) for command in COMMANDS),
        *((ConversationsProtocol, Conversations, command) for command in OF_CONVERSATIONS),
        *((ConversationsProtocol, ConversationsClient, command) for command in OF_CONVERSATIONS),
        *((ServableLibrary, Library, command) for command in ("ask", "files", "model")),
    ],
)
def test_a_library_takes_and_gives_what_its_protocol_says(
    protocol: type, implementation: type, command: str
) -> None:
    wanted = getattr(protocol, command)
    given = getattr(implementation, command)
    wanted_types, given_types = get_type_hints(wanted), get_type_hints(given)
    assert given_types["return"] == wanted_types["return"]
    wanted_parameters = inspect.signature(wanted).parameters
    given_parameters = inspect.signature(given).parameters
    for name, parameter in wanted_parameters.items():
        assert given_parameters[name].kind is parameter.kind, name
        default = given_parameters[name].default
        both_functions = inspect.isfunction(default) and inspect.isfunction(parameter.default)
        assert both_functions or default == parameter.default, name
        if name != "self":
            assert given_types[name] == wanted_types[name], name
    for name in given_parameters.keys() - wanted_parameters.keys():
        assert given_parameters[name].default is not inspect.Parameter.empty, name
