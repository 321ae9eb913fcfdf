"""A project with specs, as the verifier is told of it: how it starts, and who can be let in."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from specwright.model.manifest import Manifest
from specwright.verify.lab import Signer
from specwright.verify.requirements.examples import Credentials


@dataclass(frozen=True, slots=True)
class Project:
    """A project that can be started in a process of its own."""

    root: Path
    manifest: Manifest
    #: Where its app is, or is made: `module:attribute`.
    target: str
    #: Commands that bring an empty database to its schema.
    prepare: tuple[str, ...]
    #: What it is started with; "{database}" stands for the throw-away one.
    environment: Mapping[str, str]
    credentials: Credentials
    signer: Signer | None = None
