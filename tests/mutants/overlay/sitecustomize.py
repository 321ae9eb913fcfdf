"""In the app's process: one module of the package has the text of a mutant.

Python imports this file by itself, where its folder is in PYTHONPATH; the verifier's process has it not.
The folder that MUTANT names holds the module under its full name, or nothing.
"""

import importlib.util
import os
import sys
from pathlib import Path


class _Mutant:
    """Finds the one module elsewhere."""

    def __init__(self, name: str, file: str) -> None:
        self._name = name
        self._file = file

    def find_spec(self, name: str, path: object, target: object = None) -> object:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._file)


for file in Path(os.environ["MUTANT"]).iterdir() if "MUTANT" in os.environ else ():
    sys.meta_path.insert(0, _Mutant(file.stem, str(file)))
