"""What the grants come to for one caller."""

from builders import ANYONE, OWNER, backend, entity, field, grant, owner
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.types import TEXT
from specwright.sql.scope import Scopes


def test_then_says_nothing_about_a_delete() -> None:
    """After a delete there is no row: a Then that never holds refuses updates, not deletes."""
    manifest = backend(
        entity(
            "Note",
            field("text", TEXT),
            owner(),
            grants=(grant(ANYONE, "list, read"), grant(OWNER, "update, delete", then="False")),
        )
    )
    scopes, note, ada = Scopes(manifest), manifest.resource("Note"), Caller("ada")
    assert not scopes.scope(note, "update", ada).possible
    assert scopes.scope(note, "delete", ada).possible
    assert not scopes.scope(note, "delete", ANONYMOUS).possible
