"""Asks a throw-away database how it would find rows if it had many."""

import asyncio
import re
from collections.abc import Sequence
from urllib.parse import unquote

from specwright.db.url import normalise
from specwright.verify.database import plans_postgres, plans_sqlite
from specwright.verify.database.plan import Plans
from specwright.verify.lab import NotRun


async def plans(database: str, statements: Sequence[str]) -> Plans:
    """Ask a throw-away database, by URL, about statements. Nothing of the rows it is given for that stays.

    Each column that a statement names is given an index for a moment: when the plan then seeks by that
    index, where it has read the whole table before, the index is missing. So nobody has to read SQL.

    Raises:
        NotRun: the database cannot be asked.
    """
    chosen = list(dict.fromkeys(each for each in statements if re.match(r"\s*(SELECT|WITH)\b", each, re.I)))
    path = database.removeprefix("sqlite:///")
    if path != database:
        return await asyncio.to_thread(plans_sqlite.plans, unquote(path), chosen)
    try:
        return await plans_postgres.plans(normalise(database), chosen)
    except OSError as error:
        raise NotRun(f"the database cannot be asked: {error}") from None
