"""Apps that die while they are asked, or answer nobody any more."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from specwright.loopback import listener
from specwright.verify.assembly import lab
from specwright.verify.check import choose_checks
from specwright.verify.engine import Ended, run
from specwright.verify.lab import Lab
from specwright.verify.result import Result, Standing
from specwright.verify.stage import stage

pytestmark = pytest.mark.anyio

_BEGIN = """
import asyncio, os, pathlib, time
from fastapi import BackgroundTasks, FastAPI
from fastapi.responses import StreamingResponse
app = FastAPI(openapi_url="/openapi.json", docs_url=None, redoc_url=None)
@app.get("/fine")
def fine(): return {"a": 1}
"""
_DEADLY = """
@app.get("/boom")
def boom(): os._exit(7)
@app.get("/later")
def later(tasks: BackgroundTasks): tasks.add_task(os._exit, 8)
"""
_ONCE = """
@app.get("/boom")
def boom():
    if not os.path.exists("died"):
        pathlib.Path("died").touch()
        os._exit(7)
"""
_FOR_GOOD = (
    """
if os.path.exists("died"): raise RuntimeError("the disk is full")
"""
    + _ONCE
)
_LIMITED = """
from fastapi import Request, Response
asked = []
@app.middleware("http")
async def limit(request: Request, proceed):
    asked.append(request.url.path)
    if len(asked) > 1:
        return Response(status_code=429, headers={"retry-after": "3600"})
    return await proceed(request)
"""
_SILENT = """
@app.get("/block")
async def block(): time.sleep(600)
@app.get("/slow")
async def slow(): await asyncio.sleep(600)
@app.get("/events")
async def events():
    async def told():
        while True:
            yield "data: 1\\n\\n"
            await asyncio.sleep(0.1)
    return StreamingResponse(told(), media_type="text/event-stream")
"""


async def _seen(target: str, folder: Path, *names: str) -> list[Result]:
    found: list[Result] = []
    async with lab(target, folder) as it:
        async for event in run(it, choose_checks(names)[0]):
            if isinstance(event, Ended):
                found += event.results
    return found


def _broken(results: list[Result]) -> dict[tuple[str, str], str]:
    return {
        (result.check, result.subject): result.says
        for result in results
        if result.standing is Standing.BROKEN
    }


@pytest.mark.parametrize("names", [("AN01", "IV01", "HE01"), ("IV01",)])
async def test_an_app_that_dies(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Each operation that ends the process is broken, once; also when it ends after the answer."""
    (tmp_path / "shop.py").write_text(_BEGIN + _DEADLY)
    results = await _seen("shop", tmp_path, *names)
    assert {about: says for about, says in _broken(results).items() if about[0] == "IV01"} == {
        ("IV01", "GET /boom"): "the app's process ends: it ended with exit code 7",
        ("IV01", "GET /later"): "the app's process ends: it ended with exit code 8",
    }
    died = next(result for result in results if result.check == "IV01" and result.subject == "GET /boom")
    assert len(died.probes) == 2 and died.source is not None and "no exit" in died.remedy
    assert not any("process ends" in says for (check, _), says in _broken(results).items() if check != "IV01")


async def test_any_check_tells_a_death(tmp_path: Path) -> None:
    """Where IV01 is not run, it is the check that has seen it."""
    (tmp_path / "shop.py").write_text(_BEGIN + _DEADLY)
    results = await _seen("shop", tmp_path, "AN01")
    assert set(_broken(results)) == {("AN01", "GET /boom"), ("AN01", "GET /later")}


async def test_a_death_that_is_not_seen_again(tmp_path: Path) -> None:
    """It is told, and not held against the app."""
    (tmp_path / "shop.py").write_text(_BEGIN + _ONCE)
    results = await _seen("shop", tmp_path, "IV01")
    assert not _broken(results)
    assert "seen once and not again: the app's process ends: it ended with exit code 7" in [
        result.says for result in results
    ]


async def test_an_app_that_does_not_start_again(tmp_path: Path) -> None:
    """That is enough to be broken; what comes after says why it does not run."""
    (tmp_path / "shop.py").write_text(_BEGIN + _FOR_GOOD)
    results = await _seen("shop", tmp_path, "IV01", "HE01")
    assert list(_broken(results)) == [("IV01", "GET /boom")]
    (last,) = (result for result in results if result.check == "HE01")
    assert last.standing is Standing.NOT_RUN
    assert last.says.startswith("the app does not start again: ") and "the disk is full" in last.says


async def test_requests_that_are_not_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that stands still is BL01's, with the line; a request that waits is IV01's; a stream is none."""
    monkeypatch.setattr(Lab._asked, "__defaults__", (1.5,))
    monkeypatch.setattr(stage, "STUCK", 0.5)
    source = _BEGIN + _SILENT
    (tmp_path / "shop.py").write_text(source)
    results = await _seen("shop", tmp_path, "IV01", "BL01")
    line = source[: source.index("time.sleep")].count("\n") + 1
    silence = "there is no answer within 1.5 seconds"
    assert _broken(results) == {
        ("IV01", "GET /slow"): silence,
        ("BL01", "GET /block"): f"the event loop stands still at shop.py:{line}: {silence}",
    }
    assert not [result for result in results if result.check == "BL01" and result.standing is Standing.PROVED]


async def test_an_app_that_has_had_enough_of_us(tmp_path: Path) -> None:
    """From there on nothing is asked and nothing proved, and each check says why."""
    (tmp_path / "shop.py").write_text(_BEGIN + _LIMITED)
    results = await _seen("shop", tmp_path, "ER02", "BL01")
    last = [result for result in results if result.check == "BL01"]
    assert [result.standing for result in last] == [Standing.NOT_RUN]
    assert "limits how often we may ask (429)" in last[0].says


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The deadly app as its owner runs it."""
    (tmp_path / "shop.py").write_text(_BEGIN + _DEADLY)
    with closing(listener()) as free:
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "uvicorn", "shop:app", "--port", port, "--log-level", "critical"]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        url = f"http://127.0.0.1:{port}"
        while not _answers(url):
            assert process.poll() is None
            time.sleep(0.1)
        yield url
        process.kill()


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/fine", trust_env=False).is_success
    except httpx2.HTTPError:
        return False


async def test_a_running_app_that_dies(served: str, tmp_path: Path) -> None:
    """Nobody listens there any more, which is seen at once, and no further request is sent."""
    results = await _seen(served, tmp_path, "AN01", "IV01", "HE01")
    gone = f"nobody listens at {served} any more"
    assert _broken(results) == {("IV01", "GET /boom"): f"the app's process ends: {gone}"}
    assert {result.says for result in results if result.check == "HE01"} == {gone}
