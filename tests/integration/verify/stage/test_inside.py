"""What can be seen of an app while it answers: statements, logs, exceptions, stops of the event loop."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from playing import APPS, Play, playing
from specwright.verify.stage import process, stage


@pytest.fixture(scope="module")
def shop() -> Iterator[Play]:
    """The app that keeps a dict."""
    with playing("in_memory") as play:
        yield play


def test_the_mark_does_not_reach_the_app(shop: Play) -> None:
    """The app sees the headers that a client of its own would have sent."""
    seen = shop("GET", "/headers")
    assert "host" in seen.body
    assert not [name for name in seen.body if "specwright" in name]


def test_what_is_said_belongs_to_its_request(shop: Play) -> None:
    """Lines printed in a thread, and logged, are told with the request they belong to; others not."""
    assert shop("GET", "/said/one").inside.logged == ("printed one", "WARNING shop logged one")
    assert shop("GET", "/said/two").inside.logged == ("printed two", "WARNING shop logged two")
    assert shop("GET", "/headers").inside.logged == ()
    seen = shop.everything()
    assert "printed one" in seen.logged
    lines = (APPS / "in_memory.py").read_text().splitlines()
    for said, code in (("printed one", "print("), ("WARNING shop logged one", "warning(")):
        file, _, line = seen.places[said].partition(":")
        assert file == "in_memory.py" and code in lines[int(line) - 1]


def test_what_comes_after_the_answer_counts(shop: Play) -> None:
    """A task that goes on after the answer is part of what was seen."""
    assert shop("GET", "/late").inside.logged == ("late",)


def test_an_exception_that_nobody_caught(shop: Play) -> None:
    """It is told with its place in the app, whatever libraries are below."""
    seen = shop("GET", "/v1/notes/7/text")
    assert seen.status == 500
    (raised,) = seen.inside.raised
    assert raised.startswith("KeyError: 7 at in_memory.py:")


def test_a_stop_of_the_event_loop(shop: Play) -> None:
    """A call that blocks is named by file and line, with its time, and so is a calculation; no other is."""
    lines = (APPS / "in_memory.py").read_text().splitlines()

    def blocked(path: str) -> tuple[str, float]:
        ((place, seconds),) = shop("GET", path).inside.blocked
        file, _, line = place.partition(":")
        assert file == "in_memory.py"
        return lines[int(line) - 1].strip(), seconds

    line, seconds = blocked("/slow")
    assert line.startswith("time.sleep(0.3)")
    assert seconds > 0.1
    assert blocked("/busy")[0] in ("while time.process_time() < until:", "turns += 1")
    assert shop("GET", "/late").inside.blocked == ()


def test_a_new_process_after_a_crash() -> None:
    """An app that dies answers nothing, is seen to be dead, and lives again after a restart."""
    with playing("in_memory") as play:
        first = play("GET", "/pid").body
        with pytest.raises(httpx2.HTTPError):
            play("GET", "/crash")
        play.wait()
        assert not play.stage.alive
        assert play.everything().logged == ("so long",)
        base = play.stage.base
        play.restart()
        assert play.stage.alive
        assert play.stage.base == base
        assert play("GET", "/pid").body != first
        assert "so long" in play.everything().logged


def test_an_app_that_is_stuck_can_be_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line to the app does not depend on its event loop, and neither does its end."""
    monkeypatch.setattr(stage, "STUCK", 0.2)
    with playing("in_memory") as play:
        assert play("GET", "/pid").status == 200
        assert play.stage.alive
        with pytest.raises(httpx2.TimeoutException):
            play("GET", "/stuck", patience=0.3)
        assert play.observed("1").stuck.startswith("in_memory.py:")
        assert not play.stage.alive
        play.restart()
        assert play.stage.alive
        assert play("GET", "/pid").status == 200


DEADLY = """
import ctypes, os, subprocess, sys
from fastapi import FastAPI
app = FastAPI()
@app.get("/exit")
def exit(): os._exit(7)
@app.get("/segfault")
def segfault(): ctypes.string_at(0)
@app.get("/mute")
def mute(): ctypes.PyDLL(None).sleep(600)
@app.get("/child")
def child():
    sleeping = [sys.executable, "-c", "import time; time.sleep(600)"]
    return subprocess.Popen(sleeping, start_new_session=True).pid
"""


@pytest.fixture
def deadly(tmp_path: Path) -> Iterator[Play]:
    """An app that dies in several ways."""
    (tmp_path / "deadly.py").write_text(DEADLY)
    with playing("deadly", tmp_path) as play:
        yield play


@pytest.mark.parametrize(
    ("path", "told"), [("/exit", "ended with exit code 7"), ("/segfault", "was ended by SIGSEGV")]
)
def test_a_death_is_told(deadly: Play, path: str, told: str) -> None:
    """How the process ended by itself, whoever asks, at once; an end that we made is no death."""
    assert deadly.portal.call(deadly.stage.death) == ""
    with pytest.raises(httpx2.HTTPError):
        deadly("GET", path)
    for _ in range(20):
        assert deadly.observed("0").raised == ()
    assert not deadly.stage.alive
    assert deadly.portal.call(deadly.stage.death) == told
    deadly.restart()
    assert deadly.portal.call(deadly.stage.death) == ""
    deadly.portal.call(deadly.stage.kill)
    assert deadly.portal.call(deadly.stage.death) == ""


def test_an_app_that_lets_no_thread_run(deadly: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits without end for what it was asked: it counts as dead, and is started again."""
    monkeypatch.setattr(process, "_ANSWER", 0.5)
    with pytest.raises(httpx2.TimeoutException):
        deadly("GET", "/mute", patience=0.5)
    assert deadly.observed("0").stuck == ""
    assert not deadly.stage.alive
    assert deadly.portal.call(deadly.stage.death) == ""
    monkeypatch.undo()
    deadly.restart()
    assert deadly("GET", "/openapi.json").status == 200


def test_what_is_detached_ends_too(deadly: Play) -> None:
    """A child in a session of its own, which holds on to stdout, outlives neither a new start nor the end."""
    first = deadly("GET", "/child").body
    assert _runs(first)
    deadly.portal.call(deadly.stage.kill)
    assert not _runs(first)
    deadly.restart()
    second = deadly("GET", "/child").body
    deadly.restart()
    assert not _runs(second)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


STAGE = """
import asyncio, sys
from pathlib import Path
from specwright.verify.stage.stage import staged
async def main():
    async with staged("deadly", Path(sys.argv[1])) as stage:
        print(stage.base, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


def test_nothing_outlives_who_is_killed(tmp_path: Path) -> None:
    """When the process that staged an app is killed, the app's ends with its children, and clears up."""
    folder, temporary = tmp_path / "app", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    (folder / "deadly.py").write_text(DEADLY)
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, "-c", STAGE, str(folder)], env=environment, stdout=subprocess.PIPE, text=True
    ) as ours:
        assert ours.stdout is not None
        base = ours.stdout.readline().strip()
        child = httpx2.get(f"{base}/child").json()
        assert list(temporary.iterdir())
        ours.kill()
    with pytest.raises(httpx2.HTTPError):
        while True:
            httpx2.get(f"{base}/openapi.json")
    assert not list(temporary.iterdir())
    while _runs(child):
        pass
