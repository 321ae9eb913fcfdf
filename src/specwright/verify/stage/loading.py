"""In the app's process: from `module:attribute` to an ASGI app, and one sentence for each way it can fail."""

import asyncio
import importlib
import inspect
import os
import re
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from specwright.verify.stage.channel import Refused
from specwright.verify.stage.source import Sources

#: How settings are said to be missing, by apps and by libraries that read them.
_COMPLAINT = re.compile(r"\b(not set|not found|missing|required|must be set|undefined)\b", re.IGNORECASE)
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")


class NotLoaded(Exception):
    """There is no app to be had; the message is a sentence. `settings` are variables that it asks for."""

    def __init__(self, why: str, settings: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.settings = settings


def load(target: str, folder: Path, sources: Sources) -> Any:
    """Import the module, and find the app in it, or call the factory that makes it.

    Raises:
        NotLoaded: and why.
    """
    name, _, attribute = target.partition(":")
    module = _import(name, folder, sources)
    attribute = attribute or "app"
    found = module
    for step in attribute.split("."):
        if not hasattr(found, step):
            raise NotLoaded(f"{name} has no {attribute}.{_hint(step, vars(module))}")
        found = getattr(found, step)
    if is_app(found):
        return found
    if inspect.isroutine(found):
        return _made(found, target, sources)
    raise NotLoaded(
        f"{name}:{attribute} is not an ASGI app but of type {type(found).__name__}.{_apps(module)}"
    )


def is_app(thing: Any) -> bool:
    """Whether it can be called with scope, receive and send."""
    return callable(thing) and not inspect.isclass(thing) and len(_required(thing)) == 3


def explained(error: BaseException, sources: Sources, what: str) -> NotLoaded:
    """The sentence for an exception of the app's, which begins with what failed; settings that it misses."""
    if (refused := _refused(error)) is not None:
        return NotLoaded(str(refused))
    if settings := missing_settings(error):
        names = ", ".join(settings)
        place = sources.raised_at(error.__traceback__)
        at = f" ({place})" if place else ""
        return NotLoaded(
            f"The app needs {names}{at}: set it under [app.environment] in people.toml.", settings
        )
    if isinstance(error, SyntaxError) and error.filename:
        file = sources.relative(error.filename) or error.filename
        return NotLoaded(f"{what}{type(error).__name__}: {error.msg} at {file}:{error.lineno}.")
    return NotLoaded(f"{what}{sources.sentence(error)}.")


def missing_settings(error: BaseException | None) -> tuple[str, ...]:
    """Environment variables that an exception complains of."""
    while error is not None:
        if isinstance(error, KeyError) and _in_environ(error):
            return (str(error.args[0]),)
        if type(error).__name__ == "ValidationError" and hasattr(error, "errors"):
            prefix = _prefix(str(getattr(error, "title", "")))
            if prefix is not None:
                missing = [each for each in error.errors() if each["type"] == "missing"]
                return tuple(f"{prefix}{each['loc'][0]}".upper() for each in missing if each["loc"])
        if _COMPLAINT.search(str(error)):
            named = [name for name in _VARIABLE.findall(str(error)) if name not in os.environ]
            if named:
                return tuple(dict.fromkeys(named))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return ()


def _refused(error: BaseException | None) -> Refused | None:
    while error is not None and not isinstance(error, Refused):
        error = error.__cause__ or error.__context__
    return error


def _import(name: str, folder: Path, sources: Sources) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            here = get_close_matches(name, _modules(folder), 1)
            hint = f" Did you mean {here[0]}?" if here else ""
            raise NotLoaded(f"There is no module {name} in {folder}.{hint}") from None
        place = sources.raised_at(error.__traceback__)
        at = f" ({place})" if place else ""
        raise NotLoaded(f"{name} cannot be imported{at}: {error}. Install it for {sys.executable}.") from None
    except SystemExit as error:
        place = sources.raised_at(error.__traceback__)
        raise NotLoaded(f"{name} cannot be imported: it exits with {error.code!r} at {place}.") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise explained(error, sources, f"{name} cannot be imported: ") from None


def _made(factory: Any, target: str, sources: Sources) -> Any:
    needed = _required(factory)
    if needed:
        raise NotLoaded(f"{target} cannot be called without {', '.join(needed)}: name an app, or a factory.")
    try:
        made = factory()
        if inspect.isawaitable(made):
            made = asyncio.run(_awaited(made))
    except (Exception, SystemExit) as error:
        raise explained(error, sources, f"{target}() fails: ") from None
    if not is_app(made):
        raise NotLoaded(f"{target}() makes no ASGI app but something of type {type(made).__name__}.")
    return made


async def _awaited(thing: Any) -> Any:
    return await thing


def _required(thing: Any) -> list[str]:
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        each.name
        for each in parameters
        if each.default is each.empty and (each.kind in kinds or each.kind is each.KEYWORD_ONLY)
    ]


def _hint(step: str, names: Mapping[str, Any]) -> str:
    apps = [name for name, value in names.items() if not name.startswith("_") and is_app(value)]
    close = get_close_matches(step, apps, 1, 0.4) or apps or get_close_matches(step, names, 1)
    return f" Did you mean {close[0]}?" if close else ""


def _apps(module: Any) -> str:
    apps = [name for name, value in vars(module).items() if not name.startswith("_") and is_app(value)]
    return f" Did you mean {apps[0]}?" if apps else ""


def _modules(folder: Path) -> Iterator[str]:
    for root, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if each.isidentifier() and each != "node_modules"]
        inner = Path(root).relative_to(folder).parts
        if len(inner) > 3:
            folders.clear()
        for file in files:
            stem, extension = os.path.splitext(file)
            if extension == ".py" and stem.isidentifier():
                yield ".".join((*inner, stem) if stem != "__init__" else inner)


def _in_environ(error: KeyError) -> bool:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "os"


def _prefix(title: str) -> str | None:
    """What the variables of this settings class begin with; None where it is no settings class."""
    settings = sys.modules.get("pydantic_settings")
    if settings is None:
        return None
    classes = [settings.BaseSettings]
    while classes:
        cls = classes.pop()
        if cls.__name__ == title:
            return str(cls.model_config.get("env_prefix", ""))
        classes += cls.__subclasses__()
    return None
