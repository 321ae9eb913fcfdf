"""A small shop that has a field of every kind, served once for all who only look at single answers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest

from corpora.corpus import SPEC
from served import Served, fresh_database, serving

SHOP = """
# Shop

## Roles

| Role  | Means |
|-------|-------|
| admin | looks after it |
| buyer | buys |

## Shelf (shelves)

| Field | Type | Rules |
|-------|------|-------|
| name  | text | required, 1..80, unique per owner |
| owner | User | the caller |

| Who    | May        |
|--------|------------|
| owner  | everything |

## Thing

| Field   | Type                        | Rules                                        |
|---------|-----------------------------|----------------------------------------------|
| name    | text                        | required, 1..40                              |
| code    | text                        | ..20, unique, matches /^[A-Z]{2}[0-9]*$/       |
| amount  | integer                     | 0..1000, default 0                           |
| big     | integer                     |                                              |
| price   | number(10,2)                |                                              |
| sold    | boolean                     | default false                                |
| made    | date                        |                                              |
| due     | timestamp                   |                                              |
| serial  | uuid                        |                                              |
| mail    | email                       |                                              |
| link    | url                         |                                              |
| extra   | json                        |                                              |
| state   | `new`, `in use`, `broken`   | default `new`                                |
| labels  | list of text                | ..5                                          |
| pin     | text                        | ..10, write only                             |
| stamp   | text                        | ..10, read only                              |
| batch   | text                        | ..10, immutable                              |
| secret  | text                        | ..10, hidden                                 |
| margin  | integer                     | readable by admin                            |
| checked | boolean                     | default false, writable by admin             |
| shelf   | Shelf                       | on delete clear                              |
| owner   | User                        | the caller                                   |

| Who   | May                        | When              | Then |
|-------|----------------------------|-------------------|------|
| owner | list, read, create, delete |                   |      |
| owner | update                     | `state != "broken"` | `amount < 900` |
| admin | everything                 |                   |      |

### Rules

- `due is None or due > created_at` (FR-004)
- `made is None or made <= today()` (FR-005)

### Requirements

- **FR-004** Due comes later.
- **FR-005** Made comes before.
"""


@pytest.fixture(scope="session")
def shop(database_server: str) -> Iterator[Served]:
    """The shop; its rows belong to whoever the test makes up."""
    with (
        fresh_database(database_server) as database,
        serving(SHOP, database, environment="production") as served,
    ):
        yield served


@pytest.fixture(scope="session")
def specimens(database_server: str) -> Iterator[Served]:
    """A resource with a field of every type and hardly a bound, for the hostile corpora."""
    with fresh_database(database_server) as database, serving(SPEC, database) as served:
        yield served


@pytest.fixture
def serve(database_server: str) -> Iterator[Callable[..., Served]]:
    """Serve a spec of the test's own, on a fresh database, until the test ends."""
    with ExitStack() as stack:

        def start(spec: str, **options: Any) -> Served:
            database = stack.enter_context(fresh_database(database_server))
            running: AbstractContextManager[Served] = serving(spec, database, **options)
            return stack.enter_context(running)

        yield start
