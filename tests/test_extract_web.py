from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from indexer.extract.containers.file_format import detect_format
from indexer.extract.dispatch import extract
from indexer.types.pieces import Extracted, Facts, PageText, UnreadableError
from indexer.types.places import Page
from tests.documents import HTML, epub, html, zipped
from tests.library import READER


def read(path: Path) -> list[Extracted]:
    return list(extract(path))


def words_of(path: Path) -> list[PageText]:
    return [piece for piece in read(path) if isinstance(piece, PageText)]


def text_of(path: Path) -> str:
    return "\n".join(words.text for words in words_of(path))


def facts_of(path: Path) -> Facts:
    return next(piece for piece in read(path) if isinstance(piece, Facts))


def page(path: Path, inner: str) -> Path:
    path.write_text(f"<!DOCTYPE html><html><body>{inner}</body></html>")
    return path


def test_a_web_page_is_what_its_reader_sees(tmp_path: Path) -> None:
    path = html(tmp_path / "net.html")
    assert text_of(path) == (
        "How to mend a net\n\nMending\n\nBegin at the torn mesh,\nthen knot with twine.\n\n"
        "Twine | Strength\nHemp | 40 kg\n\nover\nunder"
    )
    facts = facts_of(path)
    assert (facts.title, facts.made_at, facts.pages) == ("How to mend a net", 1_709_296_200.0, 1)


def test_menus_scripts_and_hidden_words_are_left_out(tmp_path: Path) -> None:
    path = page(
        tmp_path / "a.html",
        "<nav>menu</nav><div role=navigation>more menu</div><p hidden>hidden one</p>"
        "<p style='color:red;display: none'>hidden two</p><p aria-hidden=true>hidden three</p>"
        "<script>script()</script><noscript>no script</noscript><template>later</template>"
        "<p>seen <i>words</i><img src=http://192.0.2.1/x.png alt='a red kite'></p>"
        "<textarea>typed</textarea>",
    )
    assert text_of(path) == "seen words a red kite"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (HTML.encode(), "page.txt"),
        (b"\n\n<!-- saved -->\n<HTML><BODY>torn</BODY></HTML>", "page"),
        (b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><body>torn</body></html>',
         "page.xml"),
        (b"<p>torn</p> only a part", "part.html"),
    ],
)  # fmt: skip
def test_fault_41_a_web_page_by_any_name(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert detect_format(path) == "html"
    assert "torn" in text_of(path)


def test_a_text_that_is_called_a_page_is_a_text(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("3 < 4 and no tags at all")
    assert text_of(path) == "3 < 4 and no tags at all"


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", ""),
        ("utf-8", "utf-8"),
        ("utf-16", ""),
        ("iso-8859-2", "iso-8859-2"),
        ("koi8-r", "koi8-r"),
        ("cp1252", ""),
        ("gb18030", "gb2312"),
        ("utf-8", "nonsense-9"),
    ],
)
def test_fault_63_pages_in_every_declared_encoding(
    tmp_path: Path, encoding: str, declared: str
) -> None:
    word = {"iso-8859-2": "Žluťoučký", "koi8-r": "Москва", "gb18030": "北京"}.get(encoding, "Grüße")
    meta = f"<meta charset={declared}>" if declared else ""
    path = tmp_path / "a.html"
    path.write_bytes(f"<html><head>{meta}</head><body><p>{word}</p></body></html>".encode(encoding))
    assert text_of(path) == word


@pytest.mark.parametrize("tag", ["div", "table><tr><td", "b", "ul><li", "blockquote"])
def test_fault_45_deep_nesting_ends_nothing(tmp_path: Path, tag: str) -> None:
    path = tmp_path / "deep.html"
    path.write_text("<html><body>before " + f"<{tag}>" * 20_000 + "deep within")
    text = " ".join(piece.text for piece in READER.extract(path) if isinstance(piece, PageText))
    assert "before" in text


def test_fault_46_entities_of_a_page_are_not_expanded(tmp_path: Path) -> None:
    path = tmp_path / "laugh.xhtml"
    path.write_text(
        '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY c "&b;&b;&b;&b;&b;&b;"><!ENTITY e SYSTEM "file:///etc/passwd">]>'
        "<html><body>&c; &e; after</body></html>"
    )
    text = text_of(path)
    assert "after" in text
    assert "lollol" not in text
    assert "root:" not in text


def test_fault_54_a_drawing_is_text_only(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg"><text>Mast height</text></svg>')
    assert detect_format(path) == "text"
    assert "Mast height" in text_of(path)


def test_a_long_page_is_cut_where_headings_begin(tmp_path: Path) -> None:
    chapters = "".join(f"<h2>Part {n}</h2>" + "<p>Ten words stand here.</p>" * 40 for n in range(9))
    pages = words_of(page(tmp_path / "long.html", chapters))
    assert len(pages) > 5
    assert not any(page.text.split("\n\n")[-1].startswith("Part") for page in pages)
    whole = "\n\n".join(page.text for page in pages)
    assert whole.count("Part") == 9
    assert whole.count("Ten words") == 360


def test_a_book_is_read_chapter_by_chapter(tmp_path: Path) -> None:
    path = epub(tmp_path / "lighthouse.epub")
    assert words_of(path) == [
        PageText("Arrival\n\nThe keeper rowed out at dusk.", Page(1), "Arrival"),
        PageText("The storm\n\nThe lamp went dark.", Page(2), "The storm"),
    ]
    facts = facts_of(path)
    assert (facts.title, facts.made_at) == ("The lighthouse", 1_709_296_200.0)


def changed(path: Path, **members: bytes | None) -> Path:
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    for name in list(kept):
        stem = Path(name).stem
        if stem in members:
            content = members[stem]
            kept = {k: v for k, v in kept.items() if k != name}
            if content is not None:
                kept[name] = content
    return zipped(path, dict(kept))


def test_fault_43_a_book_without_one_of_its_chapters(tmp_path: Path) -> None:
    path = changed(epub(tmp_path / "a.epub"), c0=None)
    assert [words.text for words in words_of(path)] == ["The storm\n\nThe lamp went dark."]
    assert [note.sentence for note in facts_of(path).notes] == [
        "1 of 2 chapters are missing or damaged."
    ]


@pytest.mark.parametrize(
    "href", ["../../../etc/passwd.xhtml", "/etc/passwd.xhtml", "file:///etc/x"]
)
def test_fault_67_a_book_that_points_outside_gets_nothing(tmp_path: Path, href: str) -> None:
    path = epub(tmp_path / "a.epub")
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".opf"))
        manifest = archive.read(name).replace(b'href="c0.xhtml"', f'href="{href}"'.encode())
    assert href.encode() in manifest
    path = changed(path, **{Path(name).stem: manifest})
    assert [words.text for words in words_of(path)] == ["The storm\n\nThe lamp went dark."]


def test_fault_44_a_book_locked_to_a_shop_says_so(tmp_path: Path) -> None:
    path = epub(tmp_path / "a.epub")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(
            "META-INF/encryption.xml",
            '<encryption><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'
            "</encryption>",
        )
    with pytest.raises(UnreadableError, match="locked") as caught:
        READER.extract(path)
    assert caught.value.reason == "encrypted"


def test_a_page_is_shown_with_its_words(tmp_path: Path) -> None:
    path = html(tmp_path / "net.html")
    drawn = [word for _, _, _, _, word, _ in READER.words(path, 1)["words"]]
    assert drawn == words_of(path)[0].text.replace("|", " ").split()
