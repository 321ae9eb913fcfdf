"""What the grants come to for one caller."""

from decimal import Decimal

from sqlalchemy import select

from builders import ANYONE, OWNER, SIGNED_IN, backend, entity, field, grant, owner
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.types import INTEGER, TEXT
from specwright.sql.expression import Compiler
from specwright.sql.row import Row
from specwright.sql.scope import Scopes
from specwright.sql.statement import compile_statement
from specwright.sql.tables import Tables


def test_a_claim_is_not_cut_to_an_integer() -> None:
    """2.5 is not 2, and a number of any size is compared as what it is, also as one of a list."""
    conditions = ("n == caller.claims.level", "n < caller.claims.level", "n in caller.claims.levels")
    manifest = backend(
        entity(
            "Note", field("n", INTEGER), grants=tuple(grant(SIGNED_IN, "list", each) for each in conditions)
        )
    )
    tables, note = Tables(manifest), manifest.resource("Note")
    for level in (2.5, 1e300, 2**63, Decimal("0.1")):
        caller = Caller("ada", claims={"level": level, "levels": [1, level, 2.0]})
        compiler = Compiler(tables)
        condition = compiler.condition(
            Scopes(manifest).scope(note, "list", caller).before, Row.of(note, tables.of(note))
        )
        statement = compile_statement(compiler, select(condition))
        assert statement.text.count("CAST($") == 2
        sent = dict(zip(statement.parameters, statement.arguments(manifest, caller, {}), strict=True))
        assert sent["caller_claims_level_number"] == Decimal(
            repr(level) if isinstance(level, float) else level
        )
        assert sent["caller_claims_levels_list_integer"] == [1, 2]


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
