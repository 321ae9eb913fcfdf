"""Documents of FastAPI with pydantic 1 say what may be null, too."""

import sys
from typing import Any, Optional

import fastapi.openapi.utils
import pydantic
import pytest
from pydantic import v1

from specwright.verify.stage.nullable import say_nullable


class Author(v1.BaseModel):
    name: str


class Article(v1.BaseModel):
    title: str
    subtitle: Optional[str] = v1.Field(None, alias="subTitle")  # noqa: UP045 - as such an app has it
    stars: int = 0
    author: Optional[Author] = None  # noqa: UP045


def document() -> dict[str, Any]:
    """What FastAPI makes of the two classes."""
    schemas = v1.schema.schema([Article, Author], ref_prefix="#/components/schemas/")["definitions"]
    return {"components": {"schemas": schemas}}


def properties(said: dict[str, Any]) -> dict[str, Any]:
    """The members of an article."""
    found: dict[str, Any] = said["components"]["schemas"]["Article"]["properties"]
    return found


def test_members_that_may_be_null(monkeypatch: pytest.MonkeyPatch) -> None:
    """Optional members are nullable, by their names in JSON; those with another default are not."""
    monkeypatch.setitem(sys.modules, "pydantic", v1)
    monkeypatch.setitem(sys.modules, "pydantic.schema", v1.schema)
    models = {Article, Author}
    monkeypatch.setattr(fastapi.openapi.utils, "get_flat_models_from_routes", lambda _: models, raising=False)
    said = document()
    say_nullable(said, [])
    shown = properties(said)
    assert shown["subTitle"]["nullable"] is True
    assert shown["author"] == {"allOf": [{"$ref": "#/components/schemas/Author"}], "nullable": True}
    assert "nullable" not in shown["title"]
    assert "nullable" not in shown["stars"]


def test_pydantic_2_says_it_itself() -> None:
    """Nothing is changed where pydantic has said what may be null."""
    assert pydantic.VERSION.startswith("2.")
    said = document()
    say_nullable(said, [])
    assert said == document()
