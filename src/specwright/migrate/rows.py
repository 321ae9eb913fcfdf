"""Some rows of a table, and what can be done to them. All of it is made of names and values of the spec."""

from dataclasses import dataclass

from specwright.sql.tables import quote


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table for which a condition, in SQL, is true."""

    table: str
    where: str = "true"

    @property
    def count(self) -> str:
        """The statement that counts them."""
        return f"SELECT count(*) FROM {quote(self.table)} WHERE {self.where}"  # noqa: S608

    @property
    def delete(self) -> str:
        """The statement that deletes them."""
        return f"DELETE FROM {quote(self.table)} WHERE {self.where}"  # noqa: S608

    def update(self, column: str, value: str) -> str:
        """The statement that gives all of them one value."""
        return f"UPDATE {quote(self.table)} SET {quote(column)} = {value} WHERE {self.where}"  # noqa: S608

    @classmethod
    def repeating(cls, table: str, columns: tuple[str, ...], order: str, of: str = "") -> "Rows":
        """All but the first, by order, of the rows that agree in columns; without a value they never do.

        `of` says which rows are compared.
        """
        names = ", ".join(map(quote, columns))
        valued = " AND ".join((*(f"{quote(column)} IS NOT NULL" for column in columns), *filter(None, [of])))
        place = f"row_number() OVER (PARTITION BY {names} ORDER BY {quote(order)})"
        numbered = f"SELECT ctid AS at, {place} AS place FROM {quote(table)} WHERE {valued}"  # noqa: S608
        return cls(table, f"ctid IN (SELECT at FROM ({numbered}) AS numbered WHERE place > 1)")  # noqa: S608
