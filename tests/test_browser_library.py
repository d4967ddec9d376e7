"""The library page in a real browser: live progress, folders, and what could not be read."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import PATIENCE_S, Visit, chromium, visit
from tests.fake_model import Patient
from tests.library import one_at_a_time
from tests.served import Running, running, small_library, write_files
from web.machine.demonstration import SHIPPED_FILES

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library") / "files"
    write_files(folder)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    return folder


@pytest.fixture(scope="module")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("data")
    with small_library(folder, data) as library, running(library) as server:
        yield server


@pytest.fixture(scope="module")
def opened(browser: Browser, served: Running) -> Iterator[Visit]:
    with visit(browser, served, "/library") as visited:
        yield visited


@pytest.fixture
def tab(opened: Visit) -> Iterator[Visit]:
    opened.reopen("/library")
    opened.see(".files tbody tr")
    yield opened
    assert opened.unexpected == []


def test_progress_is_live_to_the_end(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_at_a_time(monkeypatch)
    folder, model = tmp_path / "files", Patient()
    folder.mkdir()
    with (
        small_library(folder, tmp_path / "data", model) as library,
        running(library) as server,
        visit(browser, server, "/library") as tab,
    ):
        tab.page.evaluate(
            """() => { window.values = new Set(); setInterval(() => { values.add(
                 [...document.querySelectorAll('progress')].map((bar) => bar.value).join());
               }, 50); }"""
        )
        for kind, name in [("Documents", "Flat"), ("Pictures", "Summer"), ("Recordings", "")]:
            shutil.copytree(SHIPPED_FILES / kind / name, folder / kind)
        library.service.start()
        try:
            end = time.monotonic() + PATIENCE_S
            while tab.page.evaluate("values.size") < 4:
                assert time.monotonic() < end, "the bars did not move"
                model.turn.release()
                tab.page.wait_for_timeout(100)
        finally:
            model.turn.release(1000)
        tab.until("document.querySelector('.panel header p')?.textContent.includes('up to date')")
        assert tab.page.locator(".stage-line", has_text="all heard").count() == 1
        count = sum(1 for path in folder.rglob("*") if path.is_file())
        assert tab.see(".pill.good").inner_text() == f"{count} files, all understood"
        assert tab.see("#progress-title").inner_text() == f"{count} files"


def test_a_failed_file_has_its_reason_and_can_be_tried_again(
    tab: Visit, served: Running, folder: Path
) -> None:
    row = tab.page.locator("tr.failed")
    assert "broken.pdf" in row.inner_text()
    assert "1 file could not be read" in tab.see(".failures h2").inner_text()
    tab.page.locator("select").first.select_option("failed")
    tab.until("location.search === '?state=failed'")
    tab.until("document.querySelectorAll('.files tbody tr').length === 1")
    (folder / "broken.pdf").write_text("Now a text about otters.\n")
    with tab.page.expect_response("**/api/retry"):
        tab.page.get_by_role("button", name="Try this one again").click()
    served.library.index()
    tab.gone(".failures")


def test_odd_names_are_shown_as_escapes(tab: Visit) -> None:
    names = tab.page.locator(".files td.name").all_inner_texts()
    (odd,) = [name for name in names if "name" in name and "txt" in name]
    assert "\n" not in odd.strip()


def test_folders_are_added_and_removed_with_a_sentence(
    tab: Visit, served: Running, tmp_path: Path
) -> None:
    other = tmp_path / "more"
    other.mkdir()
    (other / "walrus.txt").write_text("The walrus sleeps.\n")
    field = tab.page.locator(".add-folder input")
    field.fill(str(tmp_path / "nowhere"))
    tab.page.get_by_role("button", name="Add folder").click()
    assert tab.see(".panel .problem").inner_text().endswith(".")
    tab.expect_message("422")
    field.fill(str(other))
    tab.page.get_by_role("button", name="Add folder").click()
    added = tab.page.locator(".folders li", has_text="more")
    added.wait_for()
    served.library.index()
    tab.page.locator(".files td.name", has_text="walrus").wait_for()
    added.get_by_role("button", name="Remove the folder").click()
    assert "The files themselves are not touched" in added.locator(".confirmation").inner_text()
    added.get_by_role("button", name="Remove folder", exact=True).click()
    assert "is being removed" in tab.see(".folders .removal").inner_text()
    assert tab.accessibility() == []
    tab.page.get_by_role("button", name="Undo").click()
    tab.gone(".folders .removal")
    assert len(served.library.roots()) == 2
    added.get_by_role("button", name="Remove the folder").click()
    added.get_by_role("button", name="Remove folder", exact=True).click()
    tab.page.get_by_role("button", name="Remove it now").click()
    added.wait_for(state="detached")
    assert len(served.library.roots()) == 1
    assert (other / "walrus.txt").exists()


def test_a_sudden_loss_is_shown_and_accepted(tab: Visit, served: Running, folder: Path) -> None:
    for n in range(60):
        (folder / "many").mkdir(exist_ok=True)
        (folder / "many" / f"{n}.txt").write_text(f"Otter number {n}.\n")
    served.library.index()
    shutil.rmtree(folder / "many")
    served.library.index()
    row = tab.page.locator(".folders li", has_text="60 files went missing at once")
    row.get_by_role("button", name="They are gone").click()
    assert "known of 60 missing files" in row.locator(".confirmation").inner_text()
    assert tab.accessibility() == []
    tab.page.locator("select").first.select_option("missing")
    tab.page.locator("tr.missing").first.wait_for()
    assert tab.see("tr.missing .state").inner_text() == "Missing, kept"
    with tab.page.expect_response("**/api/accept"):
        row.get_by_role("button", name="Forget them").click()
    served.library.index()
    tab.gone(".folders .warn")
    assert served.library.status()["states"].get("missing") is None


def test_what_is_never_read_is_listed(tab: Visit) -> None:
    tab.page.locator("summary", has_text="What is never read").click()
    patterns = tab.see(".never-read p", 1).inner_text()
    assert "id_rsa" in patterns
    assert "*.kdbx" in patterns
    assert ".recollectignore" in tab.see(".never-read p", 2).inner_text()


def test_a_row_opens_its_file(tab: Visit, served: Running) -> None:
    tab.page.locator(".files a", has_text="boats.pdf").click()
    tab.see(".viewer .paper")
    assert f"item={served.item('boats.pdf')}" in tab.page.url
    assert tab.page.url.startswith(f"{tab.url}/library")


def test_an_empty_library_asks_for_a_folder(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with (
        small_library(tmp_path / "nothing", tmp_path / "data") as library,
        running(library) as server,
        visit(browser, server) as tab,
    ):
        library.remove(str(tmp_path / "nothing"))
        assert "Choose a folder" in tab.see(".home .lead").inner_text()
