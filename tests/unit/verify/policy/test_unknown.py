"""What people.toml says of an app is about that app."""

from pathlib import Path

import pytest

from specwright.model.errors import ConfigError
from specwright.verify.people.declared import Declared
from specwright.verify.policy.unknown import refuse_unknown
from specwright.verify.surface.surface import Collection, Operation, Surface

LIST, HEALTH = Operation("GET", "/files"), Operation("GET", "/health")
SURFACE = Surface((LIST, HEALTH), (Collection("files", list=LIST),))
FILE = Path("people.toml")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (
            Declared(private=("fils",)),
            r'policy: private: no collection is called fils\. Did you mean "files"',
        ),
        (Declared(shared=("x",)), r"policy: shared: no collection is called x\. There are files"),
        (Declared(public=("GET /nothing/here",)), r"policy: public: the app serves no GET /nothing/here"),
        (Declared(admin=("/nothing*",)), r"policy: admin: the app serves no /nothing\*"),
    ],
)
def test_what_is_not_there_is_a_mistake(declared: Declared, said: str) -> None:
    """One sentence with file and place."""
    with pytest.raises(ConfigError, match=rf"^people\.toml: {said}"):
        refuse_unknown(declared, SURFACE, FILE, hidden=False)


def test_what_is_there_is_taken() -> None:
    """Routes with a method, without one, and with a star; any where not all are in sight."""
    declared = Declared(public=("GET /files", "/health"), admin=("/fil*",), private=("files",))
    refuse_unknown(declared, SURFACE, FILE, hidden=False)
    refuse_unknown(Declared(public=("GET /hidden",)), SURFACE, FILE, hidden=True)
