"""In the app's process: what FastAPI leaves out of documents where pydantic 1 has made the schemas.

`Optional[str]` stands there as a string that may be missing, and is answered as null all the same.
"""

import sys
from importlib import import_module
from typing import Any


def say_nullable(document: dict[str, Any], routes: Any) -> None:
    """Mark the members that may be null, as OpenAPI 3.0 says it; nothing to do for pydantic 2."""
    pydantic: Any = sys.modules.get("pydantic")
    if pydantic is None or not str(getattr(pydantic, "VERSION", "")).startswith("1."):
        return
    openapi: Any = import_module("fastapi.openapi.utils")
    schema: Any = import_module("pydantic.schema")
    names = schema.get_model_name_map(openapi.get_flat_models_from_routes(routes))
    schemas = document.get("components", {}).get("schemas", {})
    for model, name in names.items():
        shown = schemas.get(name, {}).get("properties", {})
        for field in getattr(model, "__fields__", {}).values():
            if field.allow_none and field.alias in shown:
                shown[field.alias] = _nullable(shown[field.alias])


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    # OpenAPI 3.0 §4.7.24: what stands beside a $ref is ignored.
    return {"allOf": [schema], "nullable": True} if "$ref" in schema else {**schema, "nullable": True}
