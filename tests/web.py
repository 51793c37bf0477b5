"""The page, served by a real uvicorn on a free port of this machine, in a thread."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from semcoder.core import Origin, Program, Sample, dump
from semcoder.web import Settings, create_app
from semcoder.web.serving import address, bound, server

EXAMPLES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "src/semcoder/web/static/examples.json").read_text()
)
#: Programs without an end are many here.
LIMITS = dataclasses.replace(Settings().limits, cpu_s=0.4)
SUM = "def total(numbers):\n    result = 0\n    for number in numbers:\n        result += number\n    return result\n"
ENDLESS = "def climb(wall):\n    height = 0\n    while height != wall:\n        height += 3\n    return height\n"


@contextmanager
def page(**options: Any) -> Iterator[str]:
    """The address of a page that is served meanwhile."""
    settings = Settings(**{"model": "nano", "workers": 2, "limits": LIMITS, **options})
    with bound("127.0.0.1", 0) as listener:
        serving = server(create_app(settings))
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield address(listener)
        finally:
            serving.should_exit = True
            thread.join(30)


def post(base: str, name: str, doc: Any, **headers: str) -> httpx.Response:
    return httpx.post(f"{base}api/{name}", json=doc, headers=headers, timeout=120)


def lines(base: str, doc: Any) -> list[dict[str, Any]]:
    """What `predict` says, line by line."""
    with httpx.stream("POST", f"{base}api/predict", json=doc, timeout=300) as response:
        assert response.status_code == 200, response.read()
        return [json.loads(line) for line in response.iter_lines()]


HOSTILE = "def shout(text):\n    # </script><script>document.title = 'owned'</script>\n    return text + '<img src=x onerror=alert(1)>'\n"


def build_folder(folder: Path, copies: int = 25) -> Path:
    """A build folder: three programs, one of them many times, with cases, and drops."""
    (folder / "rows").mkdir(parents=True)
    told = "The call is `total([1, 2])`.\nLine 1: `total` is called with `numbers` = `[1, 2]`.\nLine 2: `result` becomes `0`."
    response = f"[MONOLOGUE]\n{told}\n[/MONOLOGUE]\n[ANSWER]assert total([1, 2]) == 3[/ANSWER]"
    programs = {
        "sums": Program(SUM, "total", Origin("folder", "sums", "1.2", "src/sums.py", 7), "MIT"),
        "shouts": Program(HOSTILE, "shout", Origin("folder", "<b>shouts</b>"), "Apache-2.0"),
        "climbs": Program(ENDLESS, "climb", Origin("stdlib", "python"), "PSF-2.0"),
    }
    rows = [
        Sample(f"f{k}", fwd_mnl="[PYTHON]", response=response, program=programs["sums"], call="total([1, 2])", output="3", claims=5)
        for k in range(copies)
    ]  # fmt: skip
    rows += [
        Sample("b", bwd_mnl="[PYTHON]", response=response, program=programs["climbs"], call="climb(9)", output="9", claims=3, found_by="search"),
        Sample("n", nl="Write `shout`, café, Straße.", response="```python\n```", program=programs["shouts"], call="shout('a')"),
    ]  # fmt: skip
    (folder / "rows" / "00000.jsonl").write_text("".join(json.dumps(dump(row)) + "\n" for row in rows))
    cases = [{"call": "total([1, 2])", "output": "3"}, {"call": "total([])", "output": "0"}]
    (folder / "programs.jsonl").write_text(
        json.dumps({"id": programs["sums"].id, "cases": cases, "raises": [{"call": "total(3)"}]}) + "\n"
    )
    drops = [
        {"reason": "too short", "detail": "2 lines", "entry": "x", "origin": {"path": f"a{k}.py", "line": k}}
        for k in range(30)
    ]
    drops.append({"reason": "touches files", "detail": "open", "entry": "y", "origin": {"path": "b.py", "line": 1}})
    (folder / "drops.jsonl").write_text("".join(json.dumps(drop) + "\n" for drop in drops))
    (folder / "manifest.json").write_text(json.dumps({"counts": {"programs_seen": 40}}))
    return folder
