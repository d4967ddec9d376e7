"""Pulling a model from a hub on this machine, with all that goes wrong on the way."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from model.interface import ModelError
from model.weights import pull as pulling
from model.weights.checkpoint import POCKET
from model.weights.installed import find_checkpoint, list_models
from model.weights.published import DEFAULT, KNOWN, model_folder
from tests import hub
from tests.conftest import ENVIRONMENT, ROOT

NAME = "tiny/model"
SHARD = "model.safetensors"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hub.Hub]:
    """The shipped model, published under another name."""
    monkeypatch.setattr("model.weights.hub.PATIENCE_S", 0.01)
    published = tmp_path / "published"
    shutil.copytree(POCKET, published)
    (published / "weights.bin").write_bytes(b"pickled")  # never wanted
    repositories = {NAME: published, f"{NAME}-assistant": published / "assistant"}
    with hub.serve(repositories) as server:
        import huggingface_hub.constants as constants

        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr("huggingface_hub.hf_api.constants.ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE",
                            server.url + "/{repo_id}/resolve/{revision}/{filename}")  # fmt: skip
        yield server


def test_a_model_arrives_with_its_drafter_and_is_one(server: hub.Hub, tmp_path: Path) -> None:
    reports: list[tuple[str, int, int]] = []
    models = tmp_path / "models"
    place = pulling.pull_model(NAME, models, lambda *report: reports.append(report))
    checkpoint = find_checkpoint(NAME, models=models)
    assert checkpoint.directory == place
    assert checkpoint.drafter == model_folder(NAME + "-assistant", models)
    assert (place / SHARD).read_bytes() == (server.repositories[NAME] / SHARD).read_bytes()
    assert not (place / "weights.bin").exists()
    assert reports[-1][1] == reports[-1][2] > 0  # all of it, in the end
    assert [done for _, done, _ in reports] == sorted(done for _, done, _ in reports)
    listed = {listing["name"]: listing for listing in list_models(NAME, models)}
    assert listed[NAME]["present"]
    assert listed[NAME]["drafter"]
    assert not list(models.glob("*.partial"))
    before = len(server.ranges)
    pulling.pull_model(NAME, models)  # nothing has changed
    assert len(server.ranges) == before


def test_a_connection_cut_in_the_middle_goes_on_there(server: hub.Hub, tmp_path: Path) -> None:
    size = (server.repositories[NAME] / SHARD).stat().st_size
    server.cuts[SHARD] = [size // 3, size // 3]
    place = pulling.pull_model(NAME, tmp_path)
    asked = [range_header for name, range_header in server.ranges if name == SHARD][:3]
    assert asked == [None, f"bytes={size // 3}-", f"bytes={size // 3 * 2}-"]
    assert (place / SHARD).read_bytes() == (server.repositories[NAME] / SHARD).read_bytes()


def test_a_pull_given_up_keeps_what_came_and_is_no_model(server: hub.Hub, tmp_path: Path) -> None:
    size = (server.repositories[NAME] / SHARD).stat().st_size
    server.cuts[SHARD] = [size // 2, *[0] * 20]
    with pytest.raises(ModelError, match=r"The connection broke .* run the same command again"):
        pulling.pull_model(NAME, tmp_path)
    with pytest.raises(ModelError, match="is not on this machine"):
        find_checkpoint(NAME, models=tmp_path)
    server.cuts.clear()
    server.sent.clear()
    pulling.pull_model(NAME, tmp_path)
    drafter = (server.repositories[NAME + "-assistant"] / SHARD).stat().st_size
    assert server.sent[SHARD] == size - size // 2 + drafter
    assert find_checkpoint(NAME, models=tmp_path).drafter is not None


def test_another_content_than_the_hash_says_is_thrown_away(server: hub.Hub, tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name in ("config.json", SHARD):
        server.forged = {name}
        with pytest.raises(ModelError, match=f"{name} of tiny/model arrived with another"):
            pulling.pull_model(NAME, models)
        assert not list(models.rglob(f"{name}*"))
        with pytest.raises(ModelError, match="is not on this machine"):
            find_checkpoint(NAME, models=models)
    server.forged = set()
    pulling.pull_model(NAME, models)
    find_checkpoint(NAME, models=models)


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("nobody/has-this", None, "The hub has no model called nobody/has-this"),
        ("not a name", None, "is no name of the hub"),
        ("../../etc", None, "is no name of the hub"),
        (NAME, 403, "does not give tiny/model to everybody"),
        (NAME, 500, "answered with status 500"),
    ],
)
def test_what_the_hub_does_not_give(
    server: hub.Hub, tmp_path: Path, name: str, status: int | None, message: str
) -> None:
    if status is not None:
        server.status[name] = status
    with pytest.raises(ModelError, match=message):
        pulling.pull_model(name, tmp_path / "models")
    assert not [path for path in tmp_path.glob("models/*") if path.name != "pull.lock"]


def test_another_kind_of_model_is_refused_before_its_weights(
    server: hub.Hub, tmp_path: Path
) -> None:
    config = server.repositories[NAME] / "config.json"
    config.write_text(config.read_text().replace('"gemma4_unified"', '"llama"'))
    with pytest.raises(ModelError, match="is of type llama"):
        pulling.pull_model(NAME, tmp_path / "models")
    assert SHARD not in server.sent
    assert not list(tmp_path.glob("models/tiny*"))


def test_a_pickled_model_is_not_pulled(server: hub.Hub, tmp_path: Path) -> None:
    (server.repositories[NAME] / SHARD).unlink()
    with pytest.raises(ModelError, match="no weights in safetensors"):
        pulling.pull_model(NAME, tmp_path / "models")
    assert not server.ranges


def test_a_disk_too_small_is_known_before_the_first_byte(
    server: hub.Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path).free
    monkeypatch.setattr(pulling, "SPARE_BYTES", free)
    with pytest.raises(ModelError, match="Nothing was downloaded"):
        pulling.pull_model(NAME, tmp_path / "models")
    assert not server.ranges


def test_two_pulls_at_once_are_one(server: hub.Hub, tmp_path: Path) -> None:
    from filelock import FileLock

    with (
        FileLock(tmp_path / "pull.lock"),
        pytest.raises(ModelError, match="Another pull is running"),
    ):
        pulling.pull_model(NAME, tmp_path)


def test_a_newer_commit_fetches_what_changed(server: hub.Hub, tmp_path: Path) -> None:
    pulling.pull_model(NAME, tmp_path)
    server.sent.clear()
    template = server.repositories[NAME] / "chat_template.jinja"
    template.write_text(template.read_text() + "{# newer #}")
    place = pulling.pull_model(NAME, tmp_path)
    assert "newer" in (place / "chat_template.jinja").read_text()
    assert list(server.sent) == ["chat_template.jinja"]


# --- as a person would


def _command(
    *words: str, url: str, models: Path, limit: Callable[[], None] | None = None
) -> subprocess.Popen[str]:
    config = {"XDG_CONFIG_HOME": str(models.parent / "config")}
    at = {"HF_ENDPOINT": url, "RECOLLECT_MODELS": str(models), "HF_HUB_DOWNLOAD_TIMEOUT": "5"}
    return subprocess.Popen(
        [sys.executable, "-m", "recollect", "--data", models.parent / "data", "model", *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        env={**ENVIRONMENT, **config, **at, "HF_HOME": str(models.parent / "hf")},
        preexec_fn=limit,
    )  # fmt: skip


def _output(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=120)
    return output


@pytest.mark.slow
def test_pull_and_use_from_the_command_line(server: hub.Hub, tmp_path: Path) -> None:
    models = tmp_path / "models"
    process = _command("pull", NAME, url=server.url, models=models)
    output = _output(process)
    assert process.returncode == 0, output
    assert f"recollect model use {NAME}" in output
    config = tmp_path / "config" / "recollect" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("# mine\nport = 7999\n")
    process = _command("use", NAME, url=server.url, models=models)
    output = _output(process)
    assert process.returncode == 0, output
    assert config.read_text() == f'model = "{NAME}"\n# mine\nport = 7999\n'
    output = _output(_command("list", url=server.url, models=models))
    assert f"* {NAME}" in output


@pytest.mark.slow
def test_a_killed_pull_goes_on_where_it_was(server: hub.Hub, tmp_path: Path) -> None:
    big = server.repositories[NAME] / "extra.safetensors"
    big.write_bytes(os.urandom(30_000_000))
    half = 20_000_000
    server.cuts[big.name] = [half, *[0] * 50]
    models = tmp_path / "models"
    process = _command("pull", NAME, url=server.url, models=models)
    waiting = model_folder(NAME, models).with_name("tiny--model.partial") / f"{big.name}.part"
    deadline = time.monotonic() + 60
    while not (waiting.is_file() and waiting.stat().st_size == half):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    server.cuts.clear()
    server.sent.clear()
    process = _command("pull", NAME, url=server.url, models=models)
    output = _output(process)
    assert process.returncode == 0, output
    assert server.sent[big.name] == 30_000_000 - half
    assert (model_folder(NAME, models) / big.name).read_bytes() == big.read_bytes()


@pytest.mark.slow
def test_a_disk_that_fills_up_keeps_what_came(server: hub.Hub, tmp_path: Path) -> None:
    """A limit of the system on file size stands for the full disk: the write fails the same way."""
    big = server.repositories[NAME] / "extra.safetensors"
    big.write_bytes(os.urandom(8_000_000))
    models = tmp_path / "models"

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, 5_000_000))

    process = _command("pull", NAME, url=server.url, models=models, limit=limit)
    output = _output(process)
    assert process.returncode == 1
    assert "is full; what has arrived is kept" in " ".join(output.split())
    assert "Traceback" not in output
    assert not model_folder(NAME, models).exists()
    process = _command("pull", NAME, url=server.url, models=models)
    output = _output(process)
    assert process.returncode == 0, output
    assert server.sent[big.name] < 8_000_000 + 5_000_000  # the second did not begin anew


def test_no_network_is_a_sentence(tmp_path: Path) -> None:
    process = _command("pull", url="http://127.0.0.1:9", models=tmp_path / "models")
    output = " ".join(_output(process).split())
    assert process.returncode == 1
    assert "The hub cannot be reached" in output
    assert "Traceback" not in output


@pytest.mark.slow
def test_nothing_else_ever_asks_the_hub(server: hub.Hub, tmp_path: Path) -> None:
    output = _output(_command("use", NAME, url=server.url, models=tmp_path / "models"))
    assert f"recollect model pull {NAME}" in " ".join(output.split())
    with contextlib.suppress(ModelError):
        find_checkpoint(NAME, models=tmp_path / "models")
    assert not server.ranges


def test_the_default_is_known_with_its_drafter() -> None:
    assert KNOWN[DEFAULT].drafter == "google/gemma-4-12B-it-qat-q4_0-unquantized-assistant"
    assert KNOWN[DEFAULT].size_bytes < 11e9
