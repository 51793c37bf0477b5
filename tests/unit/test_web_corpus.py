"""The page's corpus: filtered, searched, paged, and what a malformed folder says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from semcoder.errors import UsageError
from semcoder.web import Settings, create_app
from semcoder.web.asking import Refusal
from semcoder.web.corpus import SHOWN, Corpus
from tests.web import SUM, build_folder, page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_folder(tmp_path_factory.mktemp("web") / "corpus")


@pytest.fixture(scope="module")
def base(folder: Path) -> Iterator[str]:
    with page(corpora=(folder,)) as address:
        yield f"{address}api/corpus/0"


def rows(base: str, **wanted: Any) -> dict[str, Any]:
    response = httpx.get(f"{base}/rows", params=wanted)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def test_a_folder_is_summed_up(base: str) -> None:
    found = httpx.get(base).json()
    assert (found["rows"], found["programs"], found["drops"]) == (27, 3, 31)
    facets = {name: {each["value"]: each["count"] for each in found["facets"][name]} for name in found["facets"]}
    assert facets["kind"] == {"forward": 25, "backward": 1, "nl": 1}
    assert facets["licence"] == {"MIT": 25, "Apache-2.0": 1, "PSF-2.0": 1}
    assert facets["construct"]["for loop"] == 25
    assert found["manifest"]["counts"] == {"programs_seen": 40}


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({}, 27),
        ({"kind": "forward"}, 25),
        ({"kind": "backward", "licence": "MIT"}, 0),
        ({"construct": "while loop"}, 1),
        ({"project": "<b>shouts</b>"}, 1),
        ({"licence": "PSF-2.0"}, 1),
        ({"q": "CAFÉ"}, 1),
        ({"q": "café"}, 1),
        ({"q": "STRASSE"}, 1),
        ({"q": "straße"}, 1),
        ({"q": "ünlü"}, 0),
        ({"q": "Write `SHOUT`"}, 1),
        ({"q": "response"}, 0),
        ({"q": "licence"}, 0),
        ({"q": "program"}, 0),
        ({"q": "MIT"}, 0),
        ({"q": "[monologue]"}, 0),
        ({"q": "becomes `0`.\nassert"}, 0),
        ({"q": "onerror=alert"}, 1),
        ({"q": "TOTAL"}, 26),
        ({"q": 'no "such\n text'}, 0),
        ({"kind": "forward", "q": "climb"}, 0),
    ],
)
def test_rows_are_filtered_and_searched(base: str, wanted: dict[str, str], count: int) -> None:
    assert rows(base, **wanted)["total"] == count


def test_rows_come_in_pages(base: str) -> None:
    pages = [rows(base, page=k) for k in range(3)]
    assert [len(each["rows"]) for each in pages] == [20, 7, 0]
    assert pages[0]["pages"] == 2
    assert len({row["id"] for each in pages for row in each["rows"]}) == 27
    for wrong in ("-1", "x", "9" * 30):
        assert httpx.get(f"{base}/rows", params={"page": wrong}).status_code == 400


def test_a_program_comes_with_cases_and_monologues(base: str) -> None:
    row = rows(base, kind="forward")["rows"][0]
    found = httpx.get(f"{base}/programs/{row['program']}").json()
    assert found["source"] == SUM
    assert found["origin"]["path"] == "src/sums.py"
    assert [case["call"] for case in found["cases"]] == ["total([1, 2])", "total([])"]
    assert [case["call"] for case in found["raises"]] == ["total(3)"]
    assert len(found["rows"]) == 25
    assert found["rows"][0]["sentences"][0] == ["The call is ", "total([1, 2])", "."]
    assert found["rows"][0]["answer"] == "assert total([1, 2]) == 3"
    assert httpx.get(f"{base}/programs/0000").status_code == 404


def test_drops_come_by_reason(base: str) -> None:
    found = httpx.get(f"{base}/drops").json()
    assert found["reasons"] == [{"reason": "too short", "count": 30}, {"reason": "touches files", "count": 1}]
    assert (found["total"], len(found["drops"])) == (31, 20)
    one = httpx.get(f"{base}/drops", params={"reason": "touches files"}).json()
    assert [drop["path"] for drop in one["drops"]] == ["b.py"]


def test_a_folder_that_changes_is_read_anew(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "corpus", copies=2)
    with page(corpora=(folder,)) as address:
        base = f"{address}api/corpus/0"
        assert rows(base)["total"] == 4
        with (folder / "rows" / "00000.jsonl").open("a") as file:
            file.write('{"id"')
        assert rows(base)["total"] == 4, "a row that is being written is not read yet"
        with (folder / "drops.jsonl").open("a") as file:
            file.write('{"reason": "too sh')
        assert httpx.get(base).json()["drops"] == 31
        with (folder / "rows" / "00000.jsonl").open("a") as file:
            file.write("\n")
        response = httpx.get(f"{base}/rows")
        assert response.status_code == 400
        assert "00000.jsonl:5: not a JSON row" in response.json()["error"]
        (folder / "rows" / "00000.jsonl").write_text("")
        assert rows(base)["total"] == 0


def test_a_last_row_is_whole_without_a_line_break(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "corpus", copies=2)
    path = folder / "rows" / "00000.jsonl"
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert Corpus(folder).search({}, 0)["total"] == 4


def test_rows_in_utf8_are_searched_as_those_in_ascii(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "corpus", copies=1)
    path = folder / "rows" / "00000.jsonl"
    docs = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(doc, ensure_ascii=False) + "\n" for doc in docs), encoding="utf-8")
    corpus = Corpus(folder)
    assert [corpus.search({"q": query}, 0)["total"] for query in ("CAFÉ", "café", "strasse", "total")] == [1, 1, 1, 2]


def test_a_program_shows_its_first_rows_and_says_how_many_there_are(tmp_path: Path) -> None:
    corpus = Corpus(build_folder(tmp_path / "corpus", copies=SHOWN + 3))
    found = corpus.program(corpus.search({"kind": "forward"}, 0)["rows"][0]["program"])
    assert (len(found["rows"]), found["total"]) == (SHOWN, SHOWN + 3)


def test_a_search_ends_when_who_asked_has_left(tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "corpus")
    looked: list[int] = []

    def left() -> bool:
        looked.append(1)
        return len(looked) > 5

    with pytest.raises(Refusal, match="left"):
        Corpus(folder).search({"q": "total"}, 0, left)
    assert len(looked) == 6


def test_a_fetch_that_is_aborted_stops_its_search(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def search(_: Corpus, wanted: object, page: int, left: Callable[[], bool]) -> dict[str, Any]:
        for _tick in range(3000):
            if left():
                ended.set()
                break
            time.sleep(0.01)
        return {}

    monkeypatch.setattr(Corpus, "search", search)
    with page(corpora=(folder,)) as address:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{address}api/corpus/0/rows", timeout=0.3)
        assert ended.wait(10)


def test_a_folder_that_is_being_indexed_holds_up_nobody_else(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, go_on, indexed = build_folder(tmp_path / "slow"), threading.Event(), Corpus._indexed

    def indexing(corpus: Corpus) -> Any:
        if corpus.folder == slow:
            go_on.wait(30)
        return indexed(corpus)

    monkeypatch.setattr(Corpus, "_indexed", indexing)
    with page(corpora=(slow, folder)) as address, ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(httpx.get, f"{address}api/corpus/0", timeout=60) for _ in range(6)]
        try:
            assert httpx.get(f"{address}api/corpus/1", timeout=10).status_code == 200
            asked = {"source": SUM, "output": "x +"}
            assert httpx.post(f"{address}api/predict", json=asked, timeout=10).status_code < 500
        finally:
            go_on.set()
        assert [each.result().status_code for each in waiting] == [200] * 6


def test_what_is_no_build_folder_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no build folder"):
        create_app(Settings(corpora=(tmp_path,)))
