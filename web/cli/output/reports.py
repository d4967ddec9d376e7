"""What `forget` and `verify` print."""

from __future__ import annotations

from rich.text import Text

from web.cli.output.console import out, print_json
from web.cli.output.phrases import count_phrase
from web.library.display import one_line
from web.library.schemas.files import ForgottenJson, VerdictJson


def show_forgotten(result: ForgottenJson, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    for path in result["forgotten"]:
        out.print(Text(f"Forgotten: {one_line(path)}"))
    out.print(
        "Not a byte of it is left in the data directory."
        if result["erased"]
        else "It is gone from search, and its last byte leaves the data directory within an hour."
    )
    out.print("The file was not touched, and is not read again; `recollect remember` undoes that.")


def show_verdict(verdict: VerdictJson, as_json: bool) -> None:
    if as_json:
        print_json(verdict)
        return
    for fault in verdict["faults"]:
        mark = Text("mended ", style="green") if fault["mended"] else Text("wrong  ", style="red")
        out.print(mark + Text(one_line(fault["sentence"]), style="default"))
    passages = count_phrase(verdict["passages"], "passage")
    checked = f"{passages} and {count_phrase(verdict['vectors'], 'vector')}"
    if verdict["files"]:
        checked += f", and {count_phrase(verdict['files'], 'file')} against what was read of them,"
    out.print(f"Checked {checked} in {verdict['took_s']:,.1f} s.")
    if not verdict["faults"]:
        out.print("The index is whole: catalog, tables and checksums agree.")
    elif not verdict["sound"]:
        out.print("`recollect verify --repair` makes good what it can; your files are untouched.")
    if verdict["again"]:
        out.print(
            f"{verdict['again']:,} are read or understood again, by a running server now, else by "
            "`recollect index`."
        )
