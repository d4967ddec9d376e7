"""One setting written into config.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

from web.library.errors import LibraryError
from web.machine.config_file import set_option


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, 'model = "new"\n'),
        ("", 'model = "new"\n'),
        ("port = 1  # mine\n", 'model = "new"\nport = 1  # mine\n'),
        ('# first\nmodel = "old"\nport = 1', '# first\nmodel = "new"\nport = 1'),
        ('port = 1\n[other]\nmodel = "x"\n', 'model = "new"\nport = 1\n[other]\nmodel = "x"\n'),
        ('models = "m"\n', 'model = "new"\nmodels = "m"\n'),
        ('model = "old"  # mine\nport = 1\n', 'model = "new"  # mine\nport = 1\n'),
        ('model = """\nold\n"""\nport = 1\n', 'model = "new"\nport = 1\n'),
        ('"model" = "old"\n', '"model" = "new"\n'),
        ("text = '''\nmodel = 1\n'''\n", "model = \"new\"\ntext = '''\nmodel = 1\n'''\n"),
        ('port = 1\n[model]\nurl = "http://[::1]/v1"\n', 'model = "new"\nport = 1\n'),
        ("port = 1\r\n", 'model = "new"\nport = 1\r\n'),
    ],
)
def test_only_that_line_changes(tmp_path: Path, before: str | None, after: str) -> None:
    file = tmp_path / "folder" / "config.toml"
    if before is not None:
        file.parent.mkdir()
        file.write_bytes(before.encode())
    set_option(file, "model", "new")
    assert file.read_bytes().decode() == after
    assert tomllib.loads(after)["model"] == "new"
    assert [path.name for path in file.parent.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("before", [b"model = [broken", b"model = 1\nmodel = 2\n", b"# \xff\n"])
def test_a_file_that_is_not_toml_is_left_alone(tmp_path: Path, before: bytes) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(before)
    with pytest.raises(LibraryError, match="Write it yourself: model = "):
        set_option(file, "model", "new")
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match="cannot be"):
        set_option(tmp_path / "file" / "config.toml", "model", "new")


@settings(deadline=None, max_examples=50)
@given(value=strategies.text(strategies.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_value_comes_back(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    file = tmp_path_factory.mktemp("any") / "config.toml"
    set_option(file, "model", value)
    assert tomllib.loads(file.read_text(encoding="utf-8")) == {"model": value}
