"""What is read off an answer that came byte for byte."""

import pytest

from specwright.verify.wire import status


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}", None),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}", None),
        (b"HTTP/1.1 200 OK\r\ncontent-le", None),
        (b"", None),
    ],
)
def test_the_status_of_a_whole_answer(answer: bytes, expected: int | None) -> None:
    """An answer that breaks off, by its own word on its length, has none."""
    assert status(answer) == expected
