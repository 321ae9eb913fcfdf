"""Bodies in the media types that operations take: JSON, forms, forms of parts."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

#: No value that is made up has it.
_BOUNDARY = "specwright-7MA4YWxkTrZu0gW"


def encode(body: Any, media: str) -> tuple[bytes, str]:
    """A body's bytes, and its media type as a header says it; JSON where the type is none of forms."""
    if isinstance(body, Mapping) and media == "application/x-www-form-urlencoded":
        return urlencode(body, doseq=True).encode(), media
    if isinstance(body, Mapping) and media == "multipart/form-data":
        return _multipart(body)
    return json.dumps(body).encode(), media if "json" in media else "application/json"


def _multipart(body: Mapping[str, Any]) -> tuple[bytes, str]:
    """A form of parts (RFC 7578); bytes are a file."""
    parts = []
    for name, value in body.items():
        file = isinstance(value, bytes)
        about = f'Content-Disposition: form-data; name="{quote(name)}"'
        about += '; filename="canary.txt"\r\nContent-Type: text/plain' if file else ""
        text = value if isinstance(value, str) else json.dumps(value) if not file else ""
        parts.append(f"--{_BOUNDARY}\r\n{about}\r\n\r\n".encode() + (value if file else text.encode()))
    content = b"\r\n".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])
    return content, f"multipart/form-data; boundary={_BOUNDARY}"
