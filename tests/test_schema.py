"""The API is what its schema says, whatever is sent to it: schemathesis, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.served import Running, running, small_library, write_files

# Adding a folder by a made-up path may watch the whole machine; the rest changes nothing but the
# library of this test.
LEFT_OUT = {("POST", "/api/roots")}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("schema")
    write_files(base / "files")
    with small_library(base / "files", base / "data") as library, running(library) as server:
        yield server


def every_operation(served: Running) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {served.token}"}
    schema = schemathesis.openapi.from_url(f"{served.url}/api/openapi.json", headers=headers)
    operations: list[Any] = [result.ok() for result in list[Any](schema.get_all_operations())]
    return {
        operation.label: operation
        for operation in operations
        if (operation.method.upper(), operation.path) not in LEFT_OUT
    }


def hold(served: Running, most: int, only: frozenset[str] = frozenset()) -> int:
    """Sends each operation, or those named, up to `most` requests, and checks what comes; how many
    answers that were."""
    count = 0
    headers = {"Authorization": f"Bearer {served.token}"}
    # A schema cannot say that words or a filter are needed, or which folders there are: what only
    # the library can know to be wrong is refused in a sentence.
    excluded = [positive_data_acceptance]
    for label, operation in every_operation(served).items():
        if only and label not in only:
            continue

        @hypothesis.settings(
            max_examples=most,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy())
        def check(case: Any) -> None:
            nonlocal count
            response = case.call(headers=headers, timeout=30)
            case.validate_response(response, excluded_checks=excluded)
            count += 1

        check()
    return count


def test_the_schema_is_for_those_with_the_key(served: Running, api: httpx.Client) -> None:
    schema = api.get("/api/openapi.json").json()
    assert schema["openapi"].startswith("3.")
    operations = [each for path in schema["paths"].values() for each in path.values()]
    assert all(operation["security"] == [{"key": []}] for operation in operations)
    assert all(operation["description"] for operation in operations)
    with served.stranger() as stranger:
        assert stranger.get("/api/openapi.json").status_code == 401


@pytest.mark.parametrize("path", ["/api/status", "/api/roots", "/api/search", "/v1/models"])
def test_a_parameter_that_nobody_takes_is_refused(api: httpx.Client, path: str) -> None:
    answer = api.get(path, params={"q": "x", "flavour": "sweet"})
    assert answer.status_code == 422
    assert "flavour" in answer.text or "“q”" in answer.text


def test_an_answer_whole_within_a_scope(served: Running, api: httpx.Client) -> None:
    question = {"question": "Where does the red boat lie?", "stream": False}
    whole = api.post("/api/ask", json={**question, "kind": "document"}).json()
    assert {source["kind"] for source in whole["sources"]} == {"document"}
    assert whole["citations"][0]["quote"] == "The red boat lies in the river."
    about = [served.item("garden.txt"), served.item("boats.pdf")]
    few = api.post("/api/ask", json={**question, "about": about}).json()
    assert {source["id"] for source in few["sources"]} <= set(about)
    none = api.post("/api/ask", json={**question, "before": "1999"}).json()
    assert none["sources"] == []
    refused = api.post("/api/ask", json={**question, "kind": "film"})
    assert refused.status_code == 422
    empty = api.post("/api/ask", json={**question, "question": "  "})
    assert (empty.status_code, empty.json()["error"]["code"]) == (422, "query")


def test_a_text_comes_in_pages(served: Running, api: httpx.Client) -> None:
    path = f"/api/items/{served.item('boats.pdf')}/text"
    whole = api.get(path).json()
    assert whole["count"] == len(whole["passages"]) >= 2
    second = api.get(path, params={"offset": 1, "limit": 1}).json()
    assert second["passages"] == whole["passages"][1:2]
    assert second["count"] == whole["count"]


def test_the_files_changed_last_come_first(served: Running, api: httpx.Client) -> None:
    files = api.get("/api/files", params={"order": "newest"}).json()["files"]
    times = [file["modified_at"] for file in files]
    assert times == sorted(times, reverse=True)


def test_a_few_requests_fit_the_schema(served: Running) -> None:
    assert hold(served, 3, frozenset({"GET /api/search", "POST /api/ask", "GET /api/files"})) >= 3


@pytest.mark.slow
def test_many_requests_to_every_address_fit_the_schema(served: Running) -> None:
    assert hold(served, 40) > 400
