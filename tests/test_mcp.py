"""The Model Context Protocol, driven by the client of its official SDK over both transports."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import anyio
import httpx
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ResourceLink, TextContent

from tests.conftest import ENVIRONMENT, ROOT, Indexed, Served, verb

Result = TypeVar("Result")
TOOLS = {"search", "read", "ask", "list_recent", "recording"}


@asynccontextmanager
async def over_http(served: Served, token: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token or served.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60.0, trust_env=False) as http:
        transport = streamable_http_client(f"{served.url}/mcp", http_client=http)
        async with Client(transport) as client:
            yield client


@asynccontextmanager
async def over_stdio(data: Path) -> Any:
    words = ["-m", "recollect", "--data", str(data), "mcp"]
    started = StdioServerParameters(
        command=sys.executable, args=words, env=dict(ENVIRONMENT), cwd=ROOT
    )
    async with Client(started) as client:
        yield client


def in_loop(work: Callable[[], Awaitable[Result]]) -> Result:
    return anyio.run(work)


def text_of(result: CallToolResult) -> str:
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


def links_of(result: CallToolResult) -> list[str]:
    return [str(part.uri) for part in result.content if isinstance(part, ResourceLink)]


async def use_every_tool(client: Client) -> dict[str, Any]:
    """What each tool gives, as data, with the links in `links`."""
    listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(listed) == TOOLS
    for tool in listed.values():
        assert tool.output_schema is not None
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        assert tool.input_schema["additionalProperties"] is False
    calls: dict[str, dict[str, Any]] = {
        "search": {"words": "deposit", "kind": "document", "limit": 3},
        "ask": {"question": "How much is the deposit?"},
        "list_recent": {"limit": 4},
    }
    given: dict[str, Any] = {}
    for name, arguments in calls.items():
        given[name] = await call(client, name, arguments)
    first = given["search"]["found"][0]
    more = await call(client, "search", {**calls["search"], "offset": 1, "limit": 2})
    assert [place["id"] for place in more["found"]] == [
        place["id"] for place in given["search"]["found"][1:]
    ]
    given["read"] = await call(client, "read", {"item": first["id"], "limit": 1})
    spoken = await call(client, "search", {"words": "", "kind": "recording", "limit": 1})
    given["recording"] = await call(client, "recording", {"item": spoken["found"][0]["path"]})
    return given


async def call(client: Client, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await client.call_tool(name, arguments)
    assert not result.is_error, text_of(result)
    assert text_of(result)
    assert isinstance(result.structured_content, dict)
    return {**result.structured_content, "links": links_of(result)}


def assert_useful(given: dict[str, Any]) -> None:
    """What holds of the demonstration library, however it is reached."""
    search, ask, read = given["search"], given["ask"], given["read"]
    assert 1 <= len(search["found"]) <= 3
    assert {place["kind"] for place in search["found"]} == {"document"}
    assert search["links"] == [place["link"] for place in search["found"]]
    assert "[1]" in ask["answer"]
    (quoted, *_) = ask["citations"]["1"]
    assert quoted["text"]
    assert isinstance(quoted["supports"], bool)
    assert quoted["link"] in ask["links"]
    assert len(read["passages"]) == 1
    assert read["id"] == search["found"][0]["id"]
    assert read["next_offset"] == (1 if read["passages_in_all"] > 1 else None)
    recent = given["list_recent"]["files"]
    assert len(recent) == 4
    assert sorted((file["modified_at"] for file in recent), reverse=True) == [
        file["modified_at"] for file in recent
    ]
    recording = given["recording"]
    assert recording["duration_s"] > 1
    assert recording["passages"][0]["place"]["start_s"] >= 0
    assert recording["passages"][0]["text"]


def test_every_tool_over_http(demo_server: Served) -> None:
    async def work() -> dict[str, Any]:
        async with over_http(demo_server) as client:
            return await use_every_tool(client)

    given = in_loop(work)
    assert_useful(given)
    headers = {"Authorization": f"Bearer {demo_server.token}"}
    for link in (*given["search"]["links"], *given["ask"]["links"], *given["recording"]["links"]):
        assert link.startswith(f"{demo_server.url}/item/")
        assert httpx.get(link, headers=headers).status_code == 200
    assert "?t=" in given["recording"]["links"][0]


def test_every_tool_from_a_process_of_its_own(demonstration_copy: Indexed) -> None:
    async def work() -> dict[str, Any]:
        async with over_stdio(demonstration_copy.data) as client:
            return await use_every_tool(client)

    given = in_loop(work)
    assert_useful(given)
    for link in given["search"]["links"]:  # no server runs: the files themselves are linked
        assert Path(unquote(urlsplit(link).path)).is_file()
    assert "#t=" in given["recording"]["links"][0]


def test_a_server_that_runs_is_used(demo_server: Served) -> None:
    async def work() -> dict[str, Any]:
        async with over_stdio(demo_server.library.data) as client:
            return await call(client, "search", {"words": "deposit"})

    assert all(link.startswith(demo_server.url) for link in in_loop(work)["links"])


def test_a_problem_is_a_sentence_for_the_model(demo_server: Served) -> None:
    calls: list[tuple[str, dict[str, Any], str]] = [
        ("search", {"words": "x", "folder": "/nowhere"}, "no folder of the library"),
        ("search", {"words": "x", "flavour": "y"}, "flavour"),
        ("search", {"words": ""}, "Say what to look for"),
        ("read", {"item": "a" * 26}, "not in the library"),
        ("read", {"item": "/nowhere/x.txt"}, "add its folder first"),
        ("ask", {"question": "x", "about": ["/nowhere/x.txt"]}, "add its folder first"),
        ("list_recent", {"kind": "film"}, "recording"),
    ]

    async def work() -> list[CallToolResult]:
        async with over_http(demo_server) as client:
            return [await client.call_tool(name, arguments) for name, arguments, _ in calls]

    for result, (_, _, sentence) in zip(in_loop(work), calls, strict=True):
        assert result.is_error
        assert sentence in text_of(result)
        assert "Traceback" not in text_of(result)


def test_a_document_is_no_recording(demo_server: Served) -> None:
    async def work() -> CallToolResult:
        async with over_http(demo_server) as client:
            found = await call(client, "search", {"words": "deposit", "kind": "document"})
            item = found["found"][0]["id"]
            result: CallToolResult = await client.call_tool("recording", {"item": item})
            return result

    assert "`read` gives its words" in text_of(in_loop(work))


def test_progress_is_told_while_an_answer_is_written(demo_server: Served) -> None:
    told: list[float] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append(done)

    async def work() -> None:
        async with over_http(demo_server) as client:
            arguments = {"question": "How much is the deposit?"}
            await client.call_tool("ask", arguments, progress_callback=progress)

    in_loop(work)
    assert told


def test_nobody_gets_in_without_the_key(demo_server: Served) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    refused = httpx.post(f"{demo_server.url}/mcp", json=body)
    assert refused.status_code == 401
    assert "`recollect token`" in refused.json()["error"]["sentence"]


def test_the_key_is_printed_for_programs(demo_server: Served, tmp_path: Path) -> None:
    assert verb("token", data=demo_server.library.data).strip() == demo_server.token
    fresh = verb("token", data=tmp_path / "data").strip()
    assert fresh == verb("token", data=tmp_path / "data").strip()
    assert len(fresh) >= 32
