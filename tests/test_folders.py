"""Folders to choose from: those below the home folder, what adding one does, and never our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from indexer.catalog.roots import FolderError
from tests.browser import Theme, chromium, visit
from tests.conftest import verb
from tests.served import Running, running, small_library
from tests.test_http import assert_refused


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    for name in ("Documents/Letters", "Documents/Drafts", "Pictures", ".hidden/keys", "data"):
        (home / name).mkdir(parents=True)
    (home / "Documents" / "Letters" / "boat.txt").write_text("The red boat.\n")
    (home / "Documents" / "Drafts" / "kite.txt").write_text("The violet kite.\n")
    (home / "Documents" / ".recollectignore").write_text("Drafts/\n")
    (home / "elsewhere").symlink_to(home.parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        yield home


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Running]:
    letters = home / "Documents" / "Letters"
    with small_library(letters, home / "data") as library, running(library) as server:
        yield server


def test_the_folders_below_the_home_folder_are_listed(api: httpx.Client, home: Path) -> None:
    listing = api.get("/api/folders").json()
    assert (listing["path"], listing["parent"]) == (str(home), None)
    names = [folder["name"] for folder in listing["folders"]]
    assert names == ["Documents", "Pictures"], "no hidden one, no link, not that of the index"
    inside = api.get("/api/folders", params={"path": str(home / "Documents")}).json()
    assert inside["parent"] == str(home)
    watched = {folder["name"]: folder["watched"] for folder in inside["folders"]}
    assert watched == {"Drafts": False, "Letters": True}


def test_hidden_folders_are_listed_where_that_is_asked_for(api: httpx.Client, home: Path) -> None:
    hidden = str(home / ".hidden")
    assert_refused(api.get("/api/folders", params={"path": hidden}), 403, "folder")
    listing = api.get("/api/folders", params={"path": hidden, "hidden": "true"}).json()
    assert [folder["name"] for folder in listing["folders"]] == ["keys"]


@pytest.mark.parametrize("path", ["..", "elsewhere", "../../../etc"])
def test_nothing_outside_the_home_folder_is_listed(
    api: httpx.Client, home: Path, path: str
) -> None:
    answer = api.get("/api/folders", params={"path": f"{home}/{path}", "hidden": "true"})
    assert "type the path" in assert_refused(answer, 403, "folder")


def test_a_folder_that_is_not_there_cannot_be_listed(api: httpx.Client, home: Path) -> None:
    answer = api.get("/api/folders", params={"path": str(home / "nowhere")})
    assert "choose another" in assert_refused(answer, 422, "folder")


@pytest.mark.parametrize("inside", ["", "lance"])
def test_the_folder_of_the_index_is_never_added(
    served: Running, api: httpx.Client, home: Path, inside: str
) -> None:
    answer = api.post("/api/roots", json={"path": str(home / "data" / inside)})
    assert "keeps its index" in assert_refused(answer, 422, "folder")
    assert len(served.library.roots()) == 1


def test_the_command_line_refuses_the_folder_of_the_index(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    assert "keeps its index" in verb("add", data, data=data, code=1)


def test_a_folder_with_watched_ones_in_it_says_what_becomes_of_them(tmp_path: Path) -> None:
    for name in ("files/a", "files/b", "files/left out"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "boat.txt").write_text("The boat.\n")
    (tmp_path / "files" / ".recollectignore").write_text("left out/\n")
    data = tmp_path / "data"
    for name in ("a", "left out"):
        verb("add", tmp_path / "files" / name, data=data)
    said = verb("add", tmp_path / "files", data=data, code=1)
    assert "/files/a” lies in " in said
    assert "left out” " not in said, "its patterns leave that one out, so it stays as it is"
    assert "To agree: `recollect add --take-in`." in said
    verb("add", "--take-in", tmp_path / "files", data=data)
    lines = verb("roots", data=data)
    assert str(tmp_path / "files" / "left out") in lines
    assert str(tmp_path / "files" / "a") not in lines


def test_the_catalog_itself_refuses_its_folder(served: Running, home: Path) -> None:
    with pytest.raises(FolderError):
        served.library._catalog.roots.add(home / "data")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1440])
def test_a_folder_is_chosen_and_takes_in_another(
    browser: Browser, served: Running, home: Path, width: int
) -> None:
    theme: Theme = "dark" if width == 390 else "light"
    with visit(browser, served, "/library", width=width, theme=theme) as tab:
        tab.page.get_by_role("button", name="Choose a folder").click()
        assert tab.see(".chooser h3").inner_text() == str(home)
        assert tab.accessibility() == []
        tab.page.locator(".chooser li button", has_text="Documents").click()
        tab.page.locator(".chooser li", has_text="Letters").wait_for()
        assert "in the library" in tab.page.locator(".chooser li", has_text="Letters").inner_text()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
        tab.page.get_by_role("button", name="Add “Documents”").click()
        question = tab.see(".confirmation").inner_text()
        assert "Letters” lies in" in question
        assert tab.accessibility() == []
        tab.expect_message("409")
        tab.page.get_by_role("button", name="Agree and add it").click()
        tab.page.locator(".folders b", has_text="Documents").wait_for()
        tab.until("document.querySelectorAll('.folders > li').length === 1")
        assert [Path(root["path"]).name for root in served.library.roots()] == ["Documents"]
    served.library.remove(str(home / "Documents"))
    served.library.add(str(home / "Documents" / "Letters"))


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_settings_say_what_is_in_use_and_where_it_lies(
    browser: Browser, served: Running, home: Path, width: int, theme: Theme
) -> None:
    with visit(browser, served, "/library", width=width, theme=theme) as tab:
        tab.page.locator("main").get_by_role("link", name="Settings").click()
        tab.page.locator(".settings code", has_text=str(home / "data")).wait_for()
        tab.page.locator(".settings .folders b", has_text="Letters").wait_for()
        tab.page.locator(".never-read p", has_text="id_rsa").wait_for()
        assert "fake" in tab.see("#model-title").locator("xpath=../..").inner_text()
        tab.page.locator(".settings code", has_text="recollect model use NAME").wait_for()
        assert tab.accessibility() == []
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
