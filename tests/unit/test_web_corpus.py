"""The page's corpus: filtered, searched, paged, and what a malformed folder says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from semcoder.errors import UsageError
from semcoder.web import Settings, create_app
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
        response = httpx.get(f"{base}/rows")
        assert response.status_code == 400
        assert "00000.jsonl:5: not a JSON row" in response.json()["error"]
        (folder / "rows" / "00000.jsonl").write_text("")
        assert rows(base)["total"] == 0


def test_what_is_no_build_folder_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no build folder"):
        create_app(Settings(corpora=(tmp_path,)))
