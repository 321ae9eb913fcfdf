"""Names of entities, from the names of tables."""

import pytest
import sqlalchemy as sa

from specwright.read.adopt import adopt_tables


@pytest.mark.parametrize(
    ("table", "entity"),
    [
        ("tasks", "Task"),
        ("loan_items", "LoanItem"),
        ("categories", "Category"),
        ("addresses", "Address"),
        ("houses", "House"),
        ("statuses", "Status"),
        ("purchases", "Purchase"),
        ("sizes", "Size"),
        ("matches", "Match"),
        ("people", "People"),
        ("task", "Task"),
        ("orderItem", "OrderItem"),
        ("2fa_codes", "FaCode"),
        ("user", "AppUser"),
        ("übersicht", "Bersicht"),
        ("__", "Thing"),
    ],
)
def test_a_table_names_its_entity(table: str, entity: str) -> None:
    """The likeliest singular, as one word; a name that is none becomes one."""
    column = sa.Column("id", sa.Integer, primary_key=True)
    (adopted,) = adopt_tables([sa.Table(table, sa.MetaData(), column)])
    assert adopted.resource.name == entity


def test_tables_that_others_refer_to_come_first() -> None:
    """A circle of references does no harm."""
    metadata = sa.MetaData()
    for name, target in (("a", "b"), ("b", "c"), ("c", "b"), ("z", "a")):
        sa.Table(
            name,
            metadata,
            sa.Column("id", sa.Uuid, primary_key=True),
            sa.Column(f"{target}_id", sa.ForeignKey(f"{target}.id")),
        )
    names = [known.resource.name for known in adopt_tables(list(metadata.tables.values()))]
    assert names.index("A") < names.index("Z") and len(names) == 4


def test_tables_of_one_name_in_two_schemas_are_two_entities() -> None:
    """The second has a name, a path and a table of its own, and a note on each."""
    metadata = sa.MetaData()
    for schema in (None, "old"):
        sa.Table("tasks", metadata, sa.Column("id", sa.Uuid, primary_key=True), schema=schema)
    one, other = adopt_tables(list(metadata.tables.values()))
    assert {one.resource.table, other.resource.table} == {"tasks", "task2s"}
    assert {one.resource.name, other.resource.name} == {"Task", "Task2"}
