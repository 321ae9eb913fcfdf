"""gzip: who asks for it, and streams that swell, break off or go on."""

import gzip
import zlib

import pytest

from specwright.api.compression import Inflator, accepts_gzip, inflator
from specwright.api.problems import Problem


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (None, False),
        (b"", False),
        (b"identity", False),
        (b"br, deflate", False),
        (b"gzip", True),
        (b"GZIP;q=1.0", True),
        (b"x-gzip", True),
        (b"br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        (b"gzip;q=0", False),
        (b"gzip;q=0.000, *", False),
        (b"*", True),
        (b"*;q=0", False),
        (b"notgzip", False),
        (b"gzip;q=high", False),
        (b"\xff, gzip", True),
    ],
)
def test_who_asks_for_gzip(header: bytes | None, accepted: bool) -> None:
    """Names and weights are read as RFC 9110 has them."""
    assert accepts_gzip(header) is accepted


def _taken(data: bytes, *, chunk: int = 7, most: int = 100) -> bytes:
    stream, out = Inflator(), b""
    for start in range(0, len(data), chunk):
        stream.feed(data[start : start + chunk])
        while piece := stream.take(most):
            assert len(piece) <= most
            out += piece
    stream.finish()
    return out


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 5000])
def test_a_stream_in_pieces(size: int) -> None:
    """However it is cut, what comes out is what went in."""
    content = bytes(index % 251 for index in range(size))
    assert _taken(gzip.compress(content, mtime=0)) == content


def test_members_follow_one_another() -> None:
    """RFC 1952: a file of several members is their contents in order."""
    assert _taken(gzip.compress(b"one", mtime=0) + gzip.compress(b"") + gzip.compress(b"two")) == b"onetwo"


def test_a_bomb_is_inflated_no_further_than_asked() -> None:
    """A thousandfold stream costs what is taken of it."""
    stream = Inflator()
    stream.feed(gzip.compress(b"0" * 50_000_000, mtime=0))
    assert len(stream.take(1000)) == 1000
    assert len(stream._rest) < 60_000


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        gzip.compress(b"whole", mtime=0)[:-1],
        gzip.compress(b"whole", mtime=0)[:5],
        gzip.compress(b"whole", mtime=0) + b"more",
        gzip.compress(b"whole", mtime=0)[:-8] + b"\0" * 8,
        zlib.compress(b"whole"),
    ],
)
def test_broken_streams(data: bytes) -> None:
    """Cut off, changed, followed by something else, or another format: malformed."""
    with pytest.raises(Problem) as refusal:
        _taken(data)
    assert refusal.value.code == "malformed"


@pytest.mark.parametrize("coding", [b"br", b"deflate", b"zstd", b"gzip, gzip", b"compress", b"\xff"])
def test_other_codings(coding: bytes) -> None:
    """What is taken instead is in the answer."""
    with pytest.raises(Problem) as refusal:
        inflator(coding)
    assert (refusal.value.status, refusal.value.headers) == (415, (("Accept-Encoding", "gzip"),))
    assert inflator(b"identity") is inflator(None) is inflator(b"") is None
