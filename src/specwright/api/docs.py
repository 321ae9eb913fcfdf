"""The /docs page: Swagger UI, served from this machine, and in development people to sign in as."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable

#: What the page may do: nothing that does not come from, or go to, its own origin. Swagger UI styles inline.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

#: An asset's URL carries a hash of it, so that it never goes stale.
ASSET_CACHING = "public, max-age=31536000, immutable"

_OURS = files("specwright.api") / "page"
_SWAGGER_UI = files("fastapi_swagger") / "resources"

_SOURCES: Mapping[str, tuple[Traversable, str]] = {
    "swagger-ui.js": (_SWAGGER_UI / "swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": (_SWAGGER_UI / "swagger-ui.css", "text/css; charset=utf-8"),
    "favicon.png": (_SWAGGER_UI / "favicon-32x32.png", "image/png"),
    "docs.js": (_OURS / "docs.js", "text/javascript; charset=utf-8"),
    "docs.css": (_OURS / "docs.css", "text/css; charset=utf-8"),
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page."""

    content: bytes
    media_type: str
    version: str


@cache
def asset(name: str) -> Asset | None:
    """The file of this name below `/docs/`; None if there is none."""
    if name not in _SOURCES:
        return None
    source, media_type = _SOURCES[name]
    content = source.read_bytes()
    return Asset(content, media_type, sha256(content).hexdigest()[:12])


def page(title: str, *, openapi_url: str, base: str = "", people: Iterable[str] = ()) -> bytes:
    """The page at `{base}/docs`; `base` is the path that a proxy serves the app under.

    Each of `people` is a button that signs in with the token from `{base}/docs/token?person=NAME`.
    """
    settings = {
        "openapi": base + openapi_url,
        "token": f"{base}/docs/token",
        "people": list(people),
    }
    # In a data block, `</script>` and `<!--` would end or change the script; < is the same to JSON.
    data = json.dumps(settings).replace("<", "\\u003c")

    def link(name: str) -> str:
        found = asset(name)
        assert found is not None
        return f"{base}/docs/{name}?v={found.version}"

    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="{escape(link("favicon.png"))}">
<link rel="stylesheet" href="{escape(link("swagger-ui.css"))}">
<link rel="stylesheet" href="{escape(link("docs.css"))}">
</head>
<body>
<div id="people" hidden role="group" aria-label="Sign in as"></div>
<main id="swagger-ui"></main>
<noscript>This page needs JavaScript. The document itself is at {escape(base + openapi_url)}.</noscript>
<script type="application/json" id="settings">{data}</script>
<script src="{escape(link("swagger-ui.js"))}"></script>
<script src="{escape(link("docs.js"))}"></script>
</body>
</html>
""".encode()
