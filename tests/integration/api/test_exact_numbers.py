"""A number is never a float: 38 digits come through every way that a number goes, the last one too.

The numbers differ from each other behind the 30th digit, where doubles end at the 17th: a float anywhere on
the way would change one or make two of them equal.
"""

import json
from collections.abc import Iterator
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from modules import imported
from protected import build
from served import Person, Served, fresh_database, serving
from specwright import Backend
from specwright.model.manifest import Manifest
from specwright.model.types import Kind, Type
from specwright.read.spec import read_specs
from specwright.read.storeddefault import Unclear, stored_default
from specwright.sql.constraints import constrained
from specwright.verify.requirements.examples import as_json, read_json
from specwright.verify.requirements.subset import differences
from specwright.write.markdown import specs
from specwright.write.models import models

#: 38 digits, 18 of them after the point; and its neighbours.
N = "12345678901234567890.123456789012345678"
BELOW, ABOVE = N[:-1] + "7", N[:-1] + "9"
OTHER = "0.000000000000000001"

SPEC = f"""# Sums

## Sheet

| Field   | Type           | Rules                       |
|---------|----------------|-----------------------------|
| name    | text           | required, ..20              |
| bound   | number(38,18)  | {BELOW}..{ABOVE}            |
| owner   | User           | the caller                  |
| total   | number(38,18)  | sum of lines.amount         |
| some    | number(38,18)  | sum of lines.amount where `amount >= {N}` |
| twice   | number(38,18)  | = `total * 2 - {OTHER}`     |

| Who   | May        |
|-------|------------|
| owner | everything |

## Line

| Field   | Type                  | Rules                      |
|---------|-----------------------|----------------------------|
| amount  | number(38,18)         | default {N}, indexed       |
| fixed   | number(38,18)         | immutable                  |
| parts   | list of number(38,18) | ..9                        |
| data    | json                  |                            |
| more    | number(38,18)         | = `amount + {OTHER}`       |
| sheet   | Sheet                 | on delete cascade          |
| owner   | User                  | the caller                 |

| Action | Takes                                        | Does  | On  |
|--------|----------------------------------------------|-------|-----|
| add    | amount number(38,18), list list of number(38,18) | adds  | row |

| Who   | May             | When                  |
|-------|-----------------|-----------------------|
| owner | everything, add | `amount != {ABOVE}`   |

### Rules

- `amount != {BELOW}`
- audited
"""


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    """The spec, read."""
    return read_specs({"specs/it/spec.md": SPEC})


@pytest.fixture(scope="module")
def sums(
    manifest: Manifest, database_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The spec, served, with a hook and an action that look at the numbers."""
    root, code = tmp_path_factory.mktemp("sums"), models(manifest, constrained(manifest).metadata)
    with (
        imported(root, "sums_models", sums_models=code) as module,
        fresh_database(database_server) as database,
    ):

        def prepare(backend: Backend) -> None:
            Line = module.Line

            @backend.before(Line, "create")
            async def look(line: Line) -> None:  # type: ignore[valid-type]
                found: Any = line
                assert type(found.amount) is Decimal
                if found.amount == Decimal(OTHER):
                    found.amount = Decimal(N)

            @backend.action(Line)
            async def add(line: Line, amount: Decimal, list: list[Decimal]) -> Line:  # type: ignore[valid-type]
                found: Any = line
                assert type(amount) is Decimal and {type(each) for each in list} == {Decimal}
                with localcontext(prec=60):
                    found.amount += amount + sum(list)
                return line

        build(database, manifest)
        with serving(SPEC, database, tables=False, prepare=prepare) as served:
            yield served


def asked(person: Person, path: str, **parameters: str) -> list[dict[str, Any]]:
    """The items of a list."""
    return person.items(f"{path}?{urlencode(parameters)}")


def amounts(person: Person, **parameters: str) -> list[str]:
    """The amounts of the lines that are found."""
    return [line["amount"] for line in asked(person, "/lines", **parameters)]


@pytest.mark.parametrize("spelled", [N, f'"{N}"', f"{N}0000", "12345678901234567890123456789012345678e-18"])
def test_a_body_is_read_exactly(sums: Served, spelled: str) -> None:
    """As a number or as a text of a POST, a PATCH and a PUT, in a list and in json."""
    ada = sums.person("ada")
    body = f'{{"amount": {spelled}, "parts": [{spelled}, {BELOW}], "data": [{N}], "fixed": {spelled}}}'
    answer = ada.post("/lines", body.encode())
    assert answer.status == 201, answer
    for _ in range(2):
        text = answer.body.decode()
        assert (answer.json()["amount"], answer.json()["fixed"]) == (N, N)
        assert answer.json()["parts"] == [N, BELOW]
        assert f'"data":[{N}]' in text
        path = f"/lines/{answer.json()['id']}"
        answer = ada.get(path)
    assert ada.patch(path, f'{{"amount": {OTHER}}}'.encode()).json()["amount"] == "0." + "0" * 17 + "1"
    replaced = ada.put(path, body.encode())
    assert (replaced.status, replaced.json()["amount"]) == (200, N)
    assert ada.patch(path, f'{{"fixed": {ABOVE}}}'.encode()).faults == [("fixed", "immutable")]
    assert ada.patch(path, f'{{"fixed": {N}}}'.encode()).status == 200


def test_defaults_bounds_rules_and_grants_are_exact(sums: Served) -> None:
    """What is one in the last digit beside them is told from them."""
    ada = sums.person("ada")
    assert ada.made("/lines", {})["amount"] == N
    assert ada.post("/lines", {"amount": BELOW}).faults == [("amount", "rule_violated")]
    assert ada.post("/lines", {"amount": ABOVE}).status == 403
    for bound, code in ((N[:-1] + "6", "too_small"), (N[:-2] + "80", "too_large")):
        assert ada.post("/sheets", {"name": "x", "bound": bound}).faults == [("bound", code)]
    for bound in (BELOW, N, ABOVE):
        assert ada.made("/sheets", {"name": "x", "bound": bound})["bound"] == bound
    document = sums.anonymous.get("//openapi.json").body.decode()
    assert f'"default":"{N}"' in document.replace('": "', '":"')


def test_filters_orders_and_cursors_are_exact(sums: Served) -> None:
    """Each of three neighbours is found alone, and every page begins behind the one before."""
    eve = sums.person("eve")
    three = [N[:-1] + digit for digit in "123"]
    for amount in three:
        eve.made("/lines", {"amount": amount, "parts": [amount]})
    for amount in three:
        assert amounts(eve, amount=amount) == [amount]
        assert amounts(eve, amount__in=f"{amount},1") == [amount]
        assert amounts(eve, filter=f"amount == {amount}") == [amount]
        assert amounts(eve, filter=f"amount in [{amount}, 1.5]") == [amount]
        assert amounts(eve, filter=f"amount - {amount} == 0") == [amount]
        assert amounts(eve, filter=f"amount * 10 == {amount} * 10") == [amount]
        assert amounts(eve, filter=f"more == {amount} + {OTHER}") == [amount]
        assert amounts(eve, parts__contains=amount) == [amount]
        assert amounts(eve, filter=f"{amount} in parts") == [amount]
    assert amounts(eve, amount__gt=three[1]) == [three[2]]
    assert amounts(eve, filter=f"{three[0]} < amount < {three[2]}") == [three[1]]
    for sort in ("amount", "-amount", "more"):
        seen, cursor = [], {}
        for _ in range(4):
            page = eve.get(f"/lines?{urlencode({'sort': sort, 'limit': '1', **cursor})}").json()
            seen += [line["amount"] for line in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert seen == (three[::-1] if sort.startswith("-") else three)


def test_what_is_calculated_is_exact(sums: Served) -> None:
    """Sums over rows, with a condition and without, and arithmetic on them, also in an order and a filter."""
    bob = sums.person("bob")
    sheet = bob.made("/sheets", {"name": "x"})["id"]
    for amount in (N, OTHER, "-" + N[:-1] + "1"):
        bob.made("/lines", {"amount": amount, "sheet_id": sheet})
    found = bob.get(f"/sheets/{sheet}?include=lines").json()
    # The hook has made OTHER another N.
    with localcontext(prec=60):
        total = Decimal(N) * 2 - Decimal(N[:-1] + "1")
        some = Decimal(N) * 2
        twice = total * 2 - Decimal(OTHER)
    assert [found["total"], found["some"], found["twice"]] == [f"{each:f}" for each in (total, some, twice)]
    assert sorted(line["amount"] for line in found["lines"]["items"])[0] == "-" + N[:-1] + "1"
    for name, number in (("total", total), ("twice", twice)):
        with localcontext(prec=60):
            beside = f"{number + Decimal(OTHER):f}"
        assert len(asked(bob, "/sheets", **{name: f"{number:f}"})) == 1
        assert asked(bob, "/sheets", **{name: beside}) == []
        assert len(asked(bob, "/sheets", filter=f"{name} == {number:f}", sort=name)) == 1


def test_code_and_the_trail_are_exact(sums: Served) -> None:
    """An action takes Decimals and makes them; the trail and a repeated answer hold every digit."""
    dan = sums.person("dan")
    key = {"idempotency-key": "exact-0123456789abcdef"}
    made = dan.post("/lines", f'{{"amount": {N[:-1] + "1"}}}'.encode(), headers=key)
    assert made.json()["amount"] == N[:-1] + "1"
    again = dan.post("/lines", f'{{"amount": {N[:-1] + "1"}}}'.encode(), headers=key)
    assert again.body == made.body
    path = f"/lines/{made.json()['id']}"
    sent = dan.post(f"{path}/add", f'{{"amount": {OTHER}, "list": [{OTHER}, "{OTHER}"]}}'.encode())
    assert sent.status in (200, 204), sent
    assert dan.get(path).json()["amount"] == N[:-1] + "4"
    trail = sums.sql(
        "SELECT after::text FROM specwright.audit WHERE key = $1 ORDER BY number", path.split("/")[2]
    )
    assert [N[:-1] + digit in row[0] for row, digit in zip(trail, "14", strict=True)] == [True, True]


def test_a_spec_is_written_and_read_exactly(manifest: Manifest, tmp_path: Path) -> None:
    """Defaults, bounds and literals go through the manifest, Markdown and Python unchanged."""
    again = read_specs(specs(manifest))
    for found in (manifest, again):
        amount, bound = found.resource("Line").field("amount"), found.resource("Sheet").field("bound")
        assert amount is not None and amount.default is not None and bound is not None
        assert [amount.default.value, bound.bounds.least, bound.bounds.most] == [
            Decimal(N),
            Decimal(BELOW),
            Decimal(ABOVE),
        ]
    assert f'default=decimal.Decimal("{N}")' in models(manifest, constrained(manifest).metadata)


def test_classes_are_read_exactly() -> None:
    """A Decimal as a default is the number that was written; a float is told of."""

    class Exact(SQLModel):
        amount: Decimal = Field(default=Decimal(N), sa_type=sa.Numeric(38, 18))  # type: ignore[call-overload]

    column = sa.Column(sa.Numeric(38, 18), default=Exact.model_fields["amount"].default)
    type_ = Type(Kind.NUMBER, precision=38, scale=18)
    default = stored_default(column, type_)
    assert default is not None and default.value == Decimal(N)
    in_sql = stored_default(sa.Column(sa.Numeric(38, 18), server_default=sa.text(N)), type_)
    assert in_sql is not None and in_sql.value == Decimal(N)
    with pytest.raises(Unclear, match="is a float"):
        stored_default(sa.Column(sa.Numeric(38, 18), default=0.1), type_)


def test_examples_are_exact() -> None:
    """What an example sends is what it says, and an answer that differs in the last digit differs."""
    body = f'{{"amount": {N}, "list": [{OTHER}, 1e400]}}'
    assert read_json(as_json(read_json(body))) == json.loads(body, parse_float=Decimal)
    assert N in as_json(read_json(body))
    assert list(differences(read_json(f"[{N}]"), read_json(f"[{ABOVE}]")))
    assert not list(differences(read_json("[1.0]"), read_json("[1]")))
