"""Entity tags: the version of the row, and a hash of the answer's bytes (RFC 9110 §8.8.3).

`If-Match` compares the version, so that it protects a row whichever of its fields were shown; `If-None-Match`
compares the whole, so that a cached answer of other fields is not taken for this one. What goes out in gzip
is another sequence of bytes and has a tag of its own (§8.8.3.3).
"""

import re
from collections.abc import Iterable
from hashlib import blake2b

from specwright.api.request import Headers

_TAG = re.compile(r'(W/)?"([^"]*)"')
_VERSION = re.compile(r"(\d{1,18})-[0-9a-f]+(?:-gzip)?")
_GZIP = "-gzip"


def make_tag(version: int, body: bytes) -> str:
    """The tag of an answer."""
    return f'"{version}-{blake2b(body, digest_size=8).hexdigest()}"'


def wanted_versions(if_match: str | None) -> list[int] | None:
    """The versions that `If-Match` accepts; None when it accepts any. A weak tag is no match (§13.1.1)."""
    if if_match is None or if_match.strip() == "*":
        return None
    return _versions(tag for weak, tag in _TAG.findall(if_match) if not weak)


def conditions(if_match: str | None, if_none_match: str | None) -> dict[str, list[int]]:
    """What a change asks of its row: to be one of the `versions`, and none of the `other_versions`.

    Nothing is of no version, so this is what becomes of `If-None-Match: *`: there is a row (§13.1.2).
    """
    found = {}
    versions = wanted_versions(if_match)
    if versions is not None:
        found["versions"] = versions
    if if_none_match is not None:
        if if_none_match.strip() == "*":
            found["versions"] = []
        elif others := _versions(tag for _, tag in _TAG.findall(if_none_match)):
            found["other_versions"] = others
    return found


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Whether the client has this very answer already."""
    if if_none_match is None:
        return False
    known = (found.removesuffix(_GZIP) for _, found in _TAG.findall(if_none_match))
    return if_none_match.strip() == "*" or tag.strip('"') in known


def _versions(tags: Iterable[str]) -> list[int]:
    found = map(_VERSION.fullmatch, tags)
    return [int(version[1]) for version in found if version is not None]


def of_gzip(lines: Headers) -> Headers:
    """The header lines of an answer once it is compressed."""
    suffix = f'{_GZIP}"'.encode()
    return tuple((name, value[:-1] + suffix if name == b"etag" else value) for name, value in lines)
