"""An OpenAPI document, 3.0 or 3.1, as the operations that it describes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from specwright.model.errors import ConfigError
from specwright.verify.surface.surface import Operation, Parameter, Schema

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
#: In what a body is sent, of what an operation takes.
_PREFERRED = (JSON, FORM, MULTIPART)


def read_openapi(document: Any) -> tuple[Operation, ...]:
    """Its operations, in the order of the document, every `$ref` followed.

    A schema that refers to itself is one object that contains itself.

    Raises:
        ConfigError: it is no OpenAPI document of version 3.
    """
    if not isinstance(document, Mapping) or not str(document.get("openapi", "")).startswith("3."):
        raise ConfigError("The app's OpenAPI document is none of version 3.")
    return tuple(_Document(document).operations())


def security_schemes(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """How clients say who they are, by the name of the scheme."""
    found = _mapping(_mapping(document.get("components")).get("securitySchemes"))
    return {name: each for name, each in found.items() if isinstance(each, Mapping)}


@dataclass
class _Document:
    content: Mapping[str, Any]
    #: Where references lead, as far as they have been followed.
    _followed: dict[str, dict[str, Any]] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    def operations(self) -> Iterator[Operation]:
        base = self._base()
        for path, item in _mapping(self.content.get("paths")).items():
            item = self._part(item)
            for method in METHODS:
                if isinstance(item.get(method), Mapping):
                    yield self._operation(method.upper(), base + path, item, item[method])

    def _base(self) -> str:
        servers = self.content.get("servers")
        if not isinstance(servers, list) or not servers:
            return ""
        return urlsplit(str(_mapping(servers[0]).get("url", ""))).path.rstrip("/")

    def _operation(
        self, method: str, path: str, item: Mapping[str, Any], said: Mapping[str, Any]
    ) -> Operation:
        parameters: dict[tuple[str, str], Parameter] = {}
        for each in (*item.get("parameters", ()), *said.get("parameters", ())):
            parameter = self._parameter(self._part(each))
            parameters[parameter.place, parameter.name] = parameter
        media, body = self._body(self._part(said.get("requestBody")))
        answers = {
            str(status): self._content(self._part(answer))[1] or {}
            for status, answer in _mapping(said.get("responses")).items()
        }
        return Operation(
            method,
            path,
            tuple(parameters.values()),
            media,
            body,
            answers,
            secured=self._secured(said),
            name=str(said.get("operationId", "")),
            tags=tuple(map(str, said.get("tags", ()))),
        )

    def _parameter(self, said: Mapping[str, Any]) -> Parameter:
        schema = said.get("schema")
        if schema is None:
            _, schema = self._content(said)
        place = str(said.get("in", ""))
        required = place == "path" or said.get("required") is True
        return Parameter(str(said.get("name", "")), place, self.schema(schema), required)

    def _body(self, said: Mapping[str, Any]) -> tuple[str, Schema | None]:
        return self._content(said) if said else ("", None)

    def _content(self, said: Mapping[str, Any]) -> tuple[str, Schema | None]:
        content = _mapping(said.get("content"))
        medias = sorted(content, key=lambda media: _rank(str(media)))
        if not medias:
            return "", None
        return str(medias[0]), self.schema(_mapping(content[medias[0]]).get("schema"))

    def _secured(self, said: Mapping[str, Any]) -> bool | None:
        """Nothing said is None: most often somebody forgot, which is for the checks to find."""
        needed = said.get("security", self.content.get("security"))
        if not isinstance(needed, list):
            return None
        return bool(needed) and all(needed)

    def _part(self, said: Any) -> Mapping[str, Any]:
        """A part of the document that may stand elsewhere in it."""
        for _ in range(8):
            if not isinstance(said, Mapping) or not isinstance(said.get("$ref"), str):
                break
            said = self._at(said["$ref"])
        return _mapping(said)

    def schema(self, said: Any) -> Schema:
        """A schema, with what it refers to in the place of the reference."""
        found = self._schema(said)
        return found if isinstance(found, dict) else {}

    def _schema(self, said: Any) -> Any:
        if isinstance(said, list):
            return [self._schema(each) for each in said]
        if not isinstance(said, Mapping):
            return said
        reference = said.get("$ref")
        rest = {
            name: self._named(value) if name in _BY_NAME else self._schema(value)
            for name, value in said.items()
            if name not in ("$ref", "$defs")
        }
        if not isinstance(reference, str):
            return _without_null(rest)
        target = self._follow(reference)
        if not rest:
            return target
        # What is still being followed has no members yet, and can only be pointed to.
        return {"allOf": [target], **rest} if reference in self._open else {**target, **rest}

    def _named(self, said: Any) -> Any:
        """The schemas of members; a member may be called `$ref`."""
        return {name: self._schema(each) for name, each in _mapping(said).items()}

    def _follow(self, reference: str) -> dict[str, Any]:
        if reference not in self._followed:
            self._followed[reference] = target = {}
            self._open.add(reference)
            found = self._schema(self._at(reference))
            target.update(found if isinstance(found, dict) else {})
            self._open.discard(reference)
        return self._followed[reference]

    def _at(self, reference: str) -> Any:
        """What a pointer within the document leads to (RFC 6901); nothing where it leads elsewhere."""
        file, _, pointer = reference.partition("#")
        found: Any = self.content if not file else None
        for step in pointer.split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list):
                found = found[int(key)] if key.isdecimal() and int(key) < len(found) else None
            else:
                found = _mapping(found).get(key)
        return found


#: Keywords whose value has schemas by the names of members.
_BY_NAME = ("properties", "patternProperties", "dependentSchemas")


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0's `nullable`, said as in 3.1."""
    if schema.pop("nullable", False) is not True:
        return schema
    if isinstance(schema.get("type"), str):
        nullable = {**schema, "type": [schema["type"], "null"]}
        if isinstance(nullable.get("enum"), list) and None not in nullable["enum"]:
            nullable["enum"] = [*nullable["enum"], None]
        return nullable
    return {"anyOf": [schema, {"type": "null"}]}


def _rank(media: str) -> int:
    for rank, preferred in enumerate(_PREFERRED):
        if media.partition(";")[0].strip().lower() == preferred:
            return rank
    return 1 if media.endswith("+json") else len(_PREFERRED)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
