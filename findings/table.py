"""The table of README.md, made from the heads of the scripts.

python findings/table.py           writes it
python findings/table.py --check   says whether it is up to date (status 1 where it is not)
"""

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
README = FOLDER / "README.md"
START = "<!-- from the heads of the scripts: python findings/table.py -->\n"
FIELDS = ("In short", "Versions", "Expected", "Instead", "Seen", "Source", "Matters")


def scripts() -> list[Path]:
    """Every finding, by name; the runner is none."""
    return sorted(path for path in FOLDER.glob("*.sh") if path.name != "run.sh")


def head(script: Path) -> dict[str, str]:
    """The fields of the comment at the head, each in one line."""
    fields: dict[str, str] = {}
    name = ""
    for line in script.read_text().splitlines()[1:]:
        if not line.startswith("#"):
            break
        if field := re.match(r"# ([A-Z][A-Za-z ]+):\s*(.*)", line):
            name = field[1]
            fields[name] = field[2]
        elif name:
            fields[name] = f"{fields[name]} {line[1:].strip()}".strip()
    return fields


def table() -> str:
    rows = ["| script | library and version | in short |", "|---|---|---|"]
    for script in scripts():
        fields = head(script)
        cells = (f"[{script.stem}]({script.name})", fields["Versions"], fields["In short"])
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def main() -> int:
    before, _, old = README.read_text().partition(START)
    new = table()
    if "--check" in sys.argv:
        return int(old.strip() != new.strip())
    README.write_text(before + START + "\n" + new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
