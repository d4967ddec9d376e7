"""What `doctor`, `model list` and `service status` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from web.cli.output.console import out, print_json
from web.library.display import one_line


def show_findings(findings: Sequence[Mapping[str, Any]], as_json: bool) -> bool:
    """Prints the findings; whether all of them are good."""
    if as_json:
        print_json(list(findings))
    for finding in () if as_json else findings:
        mark = Text("ok    ", style="green") if finding["ok"] else Text("wrong ", style="bold red")
        out.print(mark + Text(f"{finding['what']}: {finding['said']}", style="default"))
        for part, size_bytes in finding.get("table", ()):
            out.print(Text(f"        {size_bytes / 1e9:8.3f} GB  {part}", style="default"))
    return all(finding["ok"] for finding in findings)


def show_models(models: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(list(models))
        return
    for model in models:
        mark = "*" if model["in_use"] else " "
        if "engine" in model:
            out.print(Text(f"{mark} {model['name']}  served by another program"))
            continue
        if "readers" in model:
            presence = "installed" if model["present"] else "pip install 'recollect[readers]'"
            out.print(Text(f"{mark} {model['name']}  {model['what']} {presence}"))
            continue
        size = f"{model['size_bytes'] / 1e6:,.0f} MB"
        presence = "on this machine" if model["present"] else "not on this machine"
        remarks = ", the demonstration model" if model["demonstration"] else ""
        if model["present"] and not model["drafter"]:
            remarks += ", without a drafter"
        out.print(f"{mark} {model['name']}  {size}, {presence}{remarks}")
    out.print("`recollect model pull` brings the 4-bit Gemma 4 12B here, `use` puts one to use.")
    out.print("Any directory with a Gemma 4 Unified checkpoint works: --model DIRECTORY.")
    out.print("So does a model that Ollama or llama.cpp serves: --model http://127.0.0.1:PORT/v1.")


def show_service(service: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(service)
        return
    if not service["installed"]:
        out.print("The service is not installed; `recollect service install` does that.")
    elif service["pid"] is None:
        out.print("The service is installed and does not run; its log says why.")
    else:
        login = "" if service["enabled"] else ", and is not started at login"
        out.print(f"The service runs as process {service['pid']}{login}.")
    if service["link"] is not None:
        out.print(Text(f"Open the library: {service['link']}"))
    elif service["url"] is not None:
        out.print(f"The library is at {service['url']}, and does not answer at the moment.")
    if service["installed"]:
        out.print(Text(f"Its definition: {one_line(service['file'])} ({service['manager']})"))
        out.print(Text(f"Its log: {service['log']}"))
