"""The hostile corpora, and a resource with a field of every type to send them to.

Each file is data: tables of cases, each with a name. What a table means, the test that reads it says.
"""

import tomllib
from pathlib import Path
from typing import Any

SPEC = """
# Specimens

## Specimen

| Field   | Type                      | Rules                    |
|---------|---------------------------|--------------------------|
| title   | text                      |                          |
| tag     | text                      | unique                   |
| whole   | integer                   |                          |
| price   | number(10,2)              |                          |
| ratio   | number(4,4)               |                          |
| huge    | number(1000,500)          |                          |
| yes     | boolean                   |                          |
| day     | date                      |                          |
| moment  | timestamp                 |                          |
| serial  | uuid                      |                          |
| mail    | email                     |                          |
| link    | url                       |                          |
| extra   | json                      |                          |
| state   | `new`, `in use`           |                          |
| code    | text                      | matches /[A-Z]{2}[0-9]*/ |
| texts   | list of text              |                          |
| wholes  | list of integer           |                          |
| prices  | list of number(10,2)      |                          |
| days    | list of date              |                          |
| moments | list of timestamp         |                          |
| serials | list of uuid              |                          |
| answers | list of boolean           |                          |
| other   | Specimen                  | on delete clear          |

| Who       | May        |
|-----------|------------|
| signed in | everything |
"""


def load(name: str) -> dict[str, Any]:
    """The tables of one corpus."""
    text = (Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def cases(name: str, *tables: str) -> list[Any]:
    """The cases of some tables of a corpus, as `(table, case, value)`, for parametrize."""
    corpus = load(name)
    return [(table, case, value) for table in tables for case, value in corpus[table].items()]
