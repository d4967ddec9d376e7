"""What `conversations` prints: the list of them, or one as Markdown."""

from __future__ import annotations

from datetime import datetime

import click
from rich.text import Text

from web.cli.output.console import err, out, print_json
from web.cli.output.phrases import count_phrase
from web.library.display import one_line
from web.library.schemas.conversations import ConversationJson, ConversationsJson
from web.library.serializers.conversation_file import conversation_file


def show_conversations(page: ConversationsJson, as_json: bool) -> None:
    if as_json:
        print_json(page)
        return
    for conversation in page["conversations"]:
        changed = datetime.fromtimestamp(conversation["changed_at"])
        line = Text(f"{conversation['id']}  {changed:%Y-%m-%d %H:%M}  ", style="cyan")
        line.append(one_line(conversation["title"]), style="bold")
        line.append(f"  {count_phrase(conversation['questions'], 'question')}", style="dim")
        out.print(line)
    if not page["count"]:
        err.print("No such conversation; `recollect ask --conversation new` begins one.")


def show_conversation(conversation: ConversationJson, as_json: bool) -> None:
    if as_json:
        print_json(conversation)
    else:
        click.echo(conversation_file(conversation), nl=False)
