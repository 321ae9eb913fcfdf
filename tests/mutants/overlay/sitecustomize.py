"""In the app's process: one module of the package has the text of a mutant.

Python imports this file by itself, where its folder is in PYTHONPATH; the verifier's process has it not.
"""

import importlib.util
import os
import sys


class _Mutant:
    """Finds the one module elsewhere."""

    def __init__(self, name: str, file: str) -> None:
        self._name = name
        self._file = file

    def find_spec(self, name: str, path: object, target: object = None) -> object:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._file)


if "MUTANT_MODULE" in os.environ:
    sys.meta_path.insert(0, _Mutant(os.environ["MUTANT_MODULE"], os.environ["MUTANT_FILE"]))
