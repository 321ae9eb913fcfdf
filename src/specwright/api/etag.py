"""Entity tags: the version of the row, and a hash of the answer's bytes (RFC 9110 §8.8.3).

`If-Match` compares the version, so that it protects a row whichever of its fields were shown; `If-None-Match`
compares the whole, so that a cached answer of other fields is not taken for this one. What goes out in gzip
is another sequence of bytes and has a tag of its own (§8.8.3.3).
"""

import re
from hashlib import blake2b

from specwright.api.request import Headers

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_VERSION = re.compile(r"(\d{1,18})-[0-9a-f]+(?:-gzip)?")
_GZIP = "-gzip"


def make_tag(version: int, body: bytes) -> str:
    """The tag of an answer."""
    return f'"{version}-{blake2b(body, digest_size=8).hexdigest()}"'


def wanted_versions(if_match: str | None) -> list[int] | None:
    """The versions that `If-Match` accepts; None when it accepts any."""
    if if_match is None or if_match.strip() == "*":
        return None
    versions = (_VERSION.fullmatch(tag) for tag in _TAG.findall(if_match))
    return [int(version[1]) for version in versions if version is not None]


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Whether the client has this very answer already."""
    if if_none_match is None:
        return False
    known = (found.removesuffix(_GZIP) for found in _TAG.findall(if_none_match))
    return if_none_match.strip() == "*" or tag.strip('"') in known


def of_gzip(lines: Headers) -> Headers:
    """The header lines of an answer once it is compressed."""
    suffix = f'{_GZIP}"'.encode()
    return tuple((name, value[:-1] + suffix if name == b"etag" else value) for name, value in lines)
