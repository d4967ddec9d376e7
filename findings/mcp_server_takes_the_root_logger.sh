#!/usr/bin/env bash
# In short: making a server object sets up the root logger of the program, and a failing tool then
#   prints what it was given
# Versions: mcp 2.3.0
# Expected: a library object that is made, and not yet run, leaves the logging of its program alone;
#   the error of one tool call goes to the library's own logger, if anywhere.
# Instead: the constructor calls logging.basicConfig with a handler on standard error at level INFO,
#   for every logger of the program. A result that does not fit the tool's declared type is logged
#   at ERROR with its traceback, in which pydantic quotes the value.
# Seen:
#   handlers of the root logger, before and after: 0, 1; level WARNING, INFO
#   an INFO line of another library is printed: True
#   words of a person's file in the output of the program: True
# Source: `configure_logging` in mcp/server/mcpserver/utilities/logging.py and
#   `MCPServer._handle_call_tool` in mcp/server/mcpserver/server.py; seen by running this.
# Matters: a server over private files that prints nothing of them begins to, at the start of one
#   feature; and so does every library that logs at INFO. A root logger that has a handler already
#   is left as it is.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'mcp==2.3.0'
venv/bin/python - <<'PYTHON'
import contextlib
import io
import logging
import typing

import anyio
from typing_extensions import TypedDict


class Found(TypedDict):
    count: int


root = logging.getLogger()
before = len(root.handlers), logging.getLevelName(root.level)
printed = io.StringIO()
with contextlib.redirect_stderr(printed):
    from mcp import Client
    from mcp.server.mcpserver import MCPServer
    from mcp_types import CallToolResult

    server = MCPServer("library")
    after = len(root.handlers), logging.getLevelName(root.level)

    @server.tool()
    def search() -> typing.Annotated[CallToolResult, Found]:
        return CallToolResult(content=[], structured_content={"count": "DEAR-ANNA"})

    async def ask() -> None:
        async with Client(server) as client:
            await client.call_tool("search", {})

    logging.getLogger("another.library").info("of no interest")
    anyio.run(ask)
text = printed.getvalue()
told = "of no interest" in text, "DEAR-ANNA" in text.replace("\n", "")
print(f"handlers of the root logger, before and after: {before[0]}, {after[0]}; "
      f"level {before[1]}, {after[1]}")
print(f"an INFO line of another library is printed: {told[0]}")
print(f"words of a person's file in the output of the program: {told[1]}")
if (before, after, told) != ((0, "WARNING"), (1, "INFO"), (True, True)):
    raise SystemExit(f"changed: {before} {after} {told}")
PYTHON
