"""`people.toml`: who speaks to an app that is verified, how they sign in, and what is meant of its routes."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from specwright.model.errors import ConfigError
from specwright.model.names import hint

_REQUEST = re.compile(r"[A-Za-z]+\s+/\S*\Z")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
#: What placeholders stand for.
_PERSONAL = ("name", "email", "username", "password")


@dataclass(frozen=True, slots=True)
class Signing:
    """A request that signs somebody in, or up. `{email}`, `{password}` and so on stand for the person's."""

    #: "POST /api/v1/login/access-token".
    request: str
    form: Mapping[str, Any] = field(default_factory=dict)
    json: Mapping[str, Any] = field(default_factory=dict)
    #: Where the answer has the token: "access_token", "user.token".
    token: str = ""
    #: How the token is sent: "Authorization: Bearer {token}".
    header: str = ""


@dataclass(frozen=True, slots=True)
class Somebody:
    """One person, and whatever of them is known."""

    token: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    email: str = ""
    username: str = ""
    password: str = ""
    roles: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    privileged: bool = False
    known_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Secret:
    """The key that the app checks tokens with, where tokens are to be signed and no request gives them."""

    key: str
    algorithm: str = "HS256"
    #: "{name}", "{email}" and so on stand for the person's.
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declared:
    """What is meant. Routes as "GET /articles*"; collections by their names."""

    public: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """How an app in process is started."""

    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Instructions:
    """The whole file."""

    login: Signing | None = None
    register: Signing | None = None
    people: Mapping[str, Somebody] = field(default_factory=dict)
    secret: Secret | None = None
    policy: Declared = field(default_factory=Declared)
    app: Start = field(default_factory=Start)


def read_instructions(file: Path) -> Instructions:
    """Read a people.toml.

    Raises:
        ConfigError: it cannot be read, or says something that is not understood.
    """
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not TOML: {error}.") from None
    people = said.pop("people", {})
    if not isinstance(people, dict):
        raise ConfigError(f"{file}: people is a table for each: [people.ada].")
    read: Instructions = _read(Instructions, said, str(file))
    for name, signing in (("login", read.login), ("register", read.register)):
        if signing is not None:
            _refuse_mistaken(signing, f"{file}: {name}")
    if read.secret is not None:
        _refuse_placeholders(read.secret.claims, _PERSONAL, f"{file}: secret: claims")
    somebodies = {name: _read(Somebody, each, f"{file}: people.{name}") for name, each in people.items()}
    return Instructions(read.login, read.register, somebodies, read.secret, read.policy, read.app)


def _refuse_mistaken(said: Signing, where: str) -> None:
    if not _REQUEST.match(said.request):
        raise ConfigError(
            f'{where}: request must be a method and a path: "POST /login", not "{said.request}".'
        )
    _refuse_placeholders(said.form, _PERSONAL, f"{where}: form")
    _refuse_placeholders(said.json, _PERSONAL, f"{where}: json")
    _refuse_placeholders(said.header, ("token",), f"{where}: header")


def _refuse_placeholders(said: Any, known: tuple[str, ...], where: str) -> None:
    """Whatever else stands in braces would be sent as it is."""
    if isinstance(said, Mapping):
        for name, value in said.items():
            _refuse_placeholders(value, known, f"{where}: {name}")
    elif isinstance(said, list):
        for value in said:
            _refuse_placeholders(value, known, where)
    elif isinstance(said, str):
        for name in _PLACEHOLDER.findall(said):
            if name not in known:
                known_ones = hint(name, known, "There are")
                raise ConfigError(f"{where}: {{{name}}} stands for nothing.{known_ones}")


def _read(cls: type, said: Any, where: str) -> Any:
    """A dataclass from a table that has its members, and no others."""
    if not isinstance(said, dict):
        raise ConfigError(f"{where} must be a table.")
    hints = get_type_hints(cls)
    values = {}
    for name, value in said.items():
        if name not in hints:
            raise ConfigError(f"{where}: {name} is not known.{hint(name, hints)}")
        values[name] = _value(hints[name], value, f"{where}: {name}")
    missing = [each.name for each in fields(cls) if each.name not in values and _needed(each)]
    if missing:
        raise ConfigError(f"{where} needs {missing[0]}.")
    return cls(**values)


def _value(kind: Any, value: Any, where: str) -> Any:
    if isinstance(kind, UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    if get_origin(kind) is tuple:
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        raise ConfigError(f"{where} must be a list of texts.")
    if kind in (str, bool):
        if isinstance(value, kind):
            return value
        raise ConfigError(f"{where} must be {'a text' if kind is str else 'true or false'}.")
    if isinstance(kind, type):
        return _read(kind, value, where)
    if isinstance(value, dict):
        texts = get_args(kind)[1] is str
        return {name: str(each) for name, each in value.items()} if texts else value
    raise ConfigError(f"{where} must be a table.")


def _needed(each: Any) -> bool:
    return each.default is MISSING and each.default_factory is MISSING
