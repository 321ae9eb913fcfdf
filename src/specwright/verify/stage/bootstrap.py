"""`PYTHON bootstrap.py LIBRARIES DESCRIPTOR`: the beginning of the app's process, whatever Python that is.

Of ours there is only the package `specwright` to be imported, so that no library of ours meets the app's; and
uvicorn with what it needs, after the app's own, for an app that has none.
"""

import importlib.machinery
import importlib.util
import runpy
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]
_SERVER = ("uvicorn", "h11", "click")


class _Server:
    """Finds our uvicorn where nobody else has found one."""

    def __init__(self, libraries: str) -> None:
        self._libraries = libraries

    def find_spec(self, name: str, path: object, target: object = None) -> object:
        if name in _SERVER:
            return importlib.machinery.PathFinder.find_spec(name, [self._libraries])
        return None


def main() -> None:
    """Make the package known, and go on as the host."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whose Python this is, we do not choose
        sys.exit(f"the app's Python is {sys.version.split()[0]}, and verify needs 3.11 at least")
    spec = importlib.util.spec_from_file_location(
        "specwright", _PACKAGE / "__init__.py", submodule_search_locations=[str(_PACKAGE)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules["specwright"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Not this folder: modules of the app's may be called like ours.
    sys.path[:] = [each for each in sys.path if each != str(Path(__file__).parent)]
    sys.meta_path.append(_Server(sys.argv.pop(1)))  # type: ignore[arg-type]
    runpy.run_module("specwright.verify.stage.host", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
