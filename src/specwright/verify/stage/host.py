"""The app's process, begun by `bootstrap.py`. It may be that of another Python, with libraries of its own.

Drivers are taught before anything of the app is imported, so that nothing of it runs on its own database.
"""

import asyncio
import os
import runpy
import socket
import sys
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import uvicorn

from specwright import loopback
from specwright.verify.stage import drivers, introspect, logs, tables
from specwright.verify.stage.channel import Channel, Refused
from specwright.verify.stage.drivers.elsewhere import Elsewhere
from specwright.verify.stage.forbidden import Forbidden
from specwright.verify.stage.loading import NotLoaded, explained, load
from specwright.verify.stage.outside import Outside
from specwright.verify.stage.record import Record, follow_threads, mark
from specwright.verify.stage.source import Sources
from specwright.verify.stage.watch import watch


def main(descriptor: int) -> int:
    """Serve an app or run one of its commands, as the plan says; what becomes of it is told on the line."""
    channel = Channel(descriptor)
    plan = channel.plan
    folder = Path(plan["folder"])
    record, sources = Record(), Sources(plan["folder"])
    forbidden = Forbidden(plan["allowed_ports"], lambda why: channel.tell("forbidden", why=why))
    elsewhere = Elsewhere(channel, Path(plan["temporary"]))
    drivers.teach(elsewhere, record)
    forbidden.shut()
    follow_threads()
    logs.listen(record, sources)
    sys.path[:0] = [str(each) for each in (folder, folder / "src") if each.is_dir()]
    channel.answers = {
        "observed": lambda asked: record.of(asked["mark"]),
        "everything": lambda _: record.everything(),
        "where": lambda _: {"place": sources.at(_main_frame())},
        "part": elsewhere.part,
        "meet": elsewhere.meet,
    }
    try:
        if plan["run"]:
            return _run(plan["run"])
        app = load(plan["target"], folder, sources)
        if drivers.postgres_in_use():
            channel.tell("postgres")
        outside = Outside(app, plan["header"], record, sources)
        return _serve(app, outside, channel, record, sources, forbidden)
    except NotLoaded as error:
        channel.tell("failed", why=forbidden.sentence or str(error), settings=error.settings)
    except Refused as error:
        channel.tell("failed", why=str(error))
    except Exception as error:
        told = explained(error, sources, "The app cannot be started: " if not plan["run"] else "")
        channel.tell("failed", why=forbidden.sentence or str(told), settings=told.settings)
    return 1


def _serve(
    app: Any, outside: Outside, channel: Channel, record: Record, sources: Sources, forbidden: Forbidden
) -> int:
    # An ordinary loop: the audit hooks of `forbidden` see its connections.
    lifespan = "on" if introspect.core(app) is not None else "auto"
    config = uvicorn.Config(
        outside,
        lifespan=lifespan,  # type: ignore[arg-type]
        loop="asyncio",
        log_config=None,
        access_log=False,
        # No proxy stands before it: whoever says that they are elsewhere only says so.
        proxy_headers=False,
    )
    # Not an argument: those of an old app's uvicorn have no such one.
    config.timeout_graceful_shutdown = 1

    def linger(asked: dict[str, Any]) -> dict[str, Any]:
        config.timeout_graceful_shutdown = None
        return {}

    channel.answers["linger"] = linger
    with loopback.listener(channel.plan["port"]) as listener:
        port = listener.getsockname()[1]

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                token = mark.set(None)
                notes = [await tables.make_missing()] if channel.plan["tables_first"] else []
                mark.reset(token)
                try:
                    await super().startup(sockets)
                except SystemExit:
                    told = _failure(outside, sources, forbidden)
                    channel.tell("failed", **told, tables=await _tables_missing(channel))
                    raise
                token = mark.set(None)
                if channel.plan["tables"]:
                    notes.append(await tables.make_missing())
                told = asdict(introspect.inventory(app, sources))
                mark.reset(token)
                watch(asyncio.get_running_loop(), record, sources)
                if forbidden.needed:
                    channel.tell("failed", why=forbidden.sentence)
                    raise SystemExit(1)
                channel.tell("ready", port=port, inventory=told, notes=[each for each in notes if each])

        Server(config).run([listener])
    return 0


def _failure(outside: Outside, sources: Sources, forbidden: Forbidden) -> dict[str, Any]:
    error = outside.failure
    told = NotLoaded("The app says that it cannot start.")
    if error is not None:
        told = explained(error, sources, "The app cannot be started: ")
    return {"why": forbidden.sentence or str(told), "settings": told.settings}


async def _tables_missing(channel: Channel) -> bool:
    """Whether the start may have failed since it read tables that should have been there."""
    if not channel.plan["tables"] or channel.plan["tables_first"]:
        return False
    try:
        return await tables.make_missing() is not None
    except Exception:  # no database, or none that the models fit
        return False


def _run(command: list[str]) -> int:
    """Run a command of Python's in this process, where its drivers are taught."""
    name, *arguments = command
    if name.startswith("python") or name == sys.executable:
        if arguments[:1] == ["-m"]:
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
            return 0
        name, *arguments = arguments
    sys.argv = [name, *arguments]
    if name.endswith(".py"):
        runpy.run_path(name, run_name="__main__")
        return 0
    scripts = entry_points(group="console_scripts", name=name)
    if not scripts:
        raise NotLoaded(
            f"{name} is no command of a Python package here: `prepare` runs those, `python -m …` and files."
        )
    sys.exit(next(iter(scripts)).load()())


def _main_frame() -> Any:
    import threading

    return sys._current_frames().get(threading.main_thread().ident or 0)


if __name__ == "__main__":
    code = 1
    try:
        code = main(int(sys.argv[1]))
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Threads of the app's that never end do not keep us.
        os._exit(code)
