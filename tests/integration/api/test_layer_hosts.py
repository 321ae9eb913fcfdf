"""Hosts, proxies and HTTPS: who is believed about where a request is for and where it is from."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.requests import Request

from served import NOTES, PREFIX, Served, fresh_database, serving
from specwright.app import Backend
from specwright.model.errors import ConfigError

pytestmark = pytest.mark.any_server


def _prepare(backend: Backend) -> None:
    @backend.app.get("/who")
    async def who(request: Request) -> dict[str, Any]:
        return {
            "client": request.client.host if request.client else None,
            "scheme": request.url.scheme,
            "root": request.scope.get("root_path", ""),
        }


FORWARDED = ("x-forwarded-for: 203.0.113.9", "x-forwarded-proto: https", "x-forwarded-prefix: /shop")


@pytest.fixture(scope="module")
def proxied(database_server: str) -> Iterator[Served]:
    """Behind this machine, which is believed, and a network of proxies before it."""
    with (
        fresh_database(database_server) as database,
        serving(NOTES, database, prepare=_prepare, proxy_addresses="127.0.0.1,10.0.0.0/8") as served,
    ):
        yield served


def _who(served: Served, *headers: str, path: str = "/who") -> Any:
    answer = served.request("GET", path, *headers)
    assert answer.status == 200, answer
    return answer.json()


def test_nobody_is_believed_unless_named(serve: Callable[..., Served]) -> None:
    """By default what a request says of itself changes nothing, though it comes from this machine."""
    for served in (
        serve(NOTES, prepare=_prepare),
        serve(NOTES, prepare=_prepare, proxy_addresses="192.0.2.1"),
    ):
        assert _who(served, *FORWARDED) == {"client": "127.0.0.1", "scheme": "http", "root": ""}
        made = served.person("ada").post("/notes", {"text": "x"}, headers={"x-forwarded-prefix": "/shop"})
        assert made.headers["location"].startswith(f"{PREFIX}/notes/")


def test_a_named_proxy_is_believed(proxied: Served) -> None:
    """Client, scheme and prefix are what it says."""
    assert _who(proxied, *FORWARDED) == {"client": "203.0.113.9", "scheme": "https", "root": "/shop"}


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("10.1.2.3, 10.1.2.4", "10.1.2.3"),
        ("evil, 10.1.2.3", "10.1.2.3"),
        ("203.0.113.9, unknown", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("\xff", "127.0.0.1"),
    ],
)
def test_only_what_proxies_appended_counts(proxied: Served, told: str, client: str) -> None:
    """From the right, the first address that is no proxy of ours; anybody may have written the rest."""
    assert _who(proxied, f"x-forwarded-for: {told}")["client"] == client


@pytest.mark.parametrize("scheme", ["javascript", "ftp", "", "wss", "https evil"])
def test_odd_schemes(proxied: Served, scheme: str) -> None:
    """A scheme is http or https."""
    assert _who(proxied, f"x-forwarded-proto: {scheme}")["scheme"] == "http"


@pytest.mark.parametrize("prefix", ["shop", "//evil.example", "/a b", "/a/../b?", "/<script>", "/\xff", "/"])
def test_odd_prefixes(proxied: Served, prefix: str) -> None:
    """What is no plain path is no prefix."""
    assert _who(proxied, f"x-forwarded-prefix: {prefix}")["root"] == ""


def test_everything_works_below_a_prefix(proxied: Served) -> None:
    """Routes of both kinds, `Location`, document and page, even below a prefix like a path of ours."""
    ada = proxied.person("ada")
    for prefix in ("/shop", "/api", "/who", "/health"):
        headers = {"x-forwarded-prefix": prefix}
        made = ada.post("/notes", {"text": "x"}, headers=headers)
        assert made.status == 201
        location = made.headers["location"]
        assert location.startswith(f"{prefix}{PREFIX}/notes/")
        assert ada.get("/" + location.removeprefix(prefix), headers=headers).status == 200
        assert ada.get("//who", headers=headers).json()["root"] == prefix
        assert ada.get("//health/live", headers=headers).status == 200
        assert ada.get("//openapi.json", headers=headers).json()["servers"] == [{"url": prefix}]
        assert f"{prefix}/openapi.json".encode() in ada.get("//docs", headers=headers).body


def test_hosts(serve: Callable[..., Served]) -> None:
    """Named hosts are answered, whatever the port; others are 421, but for the health of the process."""
    served = serve(NOTES, prepare=_prepare, allowed_hosts="api.example,*.shop.example,[::1]")

    def status(*lines: str, path: str = "/who") -> int:
        head = "\r\n".join((f"GET {path} HTTP/1.1", "connection: close", *lines, "", ""))
        return served.raw(head.encode("latin-1")).status

    for host in ("api.example", "API.example", "api.example:8000", "a.b.shop.example", "[::1]:8000"):
        assert status(f"host: {host}") == 200, host
    for host in (
        "evil.example",
        "shop.example",
        "evilshop.example",
        "",
        "api.example.",
        "api.example@evil",
        "a,b",
        "\xff",
    ):
        assert status(f"host: {host}") == 421, host
        assert status(f"host: {host}", path=f"{PREFIX}/notes") == 421
    assert status() == 421
    assert status("host: evil.example", "host: api.example") == 421
    assert status("host: evil.example", path="/health/live") == 200


def test_https_only(serve: Callable[..., Served]) -> None:
    """In the clear all but health is refused, without a redirect; browsers are told to keep to HTTPS."""
    served = serve(NOTES, prepare=_prepare, https_only=True, proxy_addresses="127.0.0.1")
    for path in ("/who", f"{PREFIX}/notes", "/docs", "/nothing"):
        for method in ("GET", "POST", "OPTIONS"):
            refused = served.request(method, path, "x-forwarded-proto: http", "content-length: 0")
            assert (refused.status, refused.code) == (403, "https_required")
            assert "location" not in refused.headers
        answer = served.request("GET", path, "x-forwarded-proto: https")
        assert answer.status in (200, 404)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert served.request("GET", f"{PREFIX}/notes").code == "https_required"
    assert served.request("GET", "/health/ready").status == 200


def test_https_only_without_a_proxy(serve: Callable[..., Served]) -> None:
    """It could only refuse everything: it does not start."""
    with pytest.raises(ConfigError, match="HTTPS_ONLY"):
        serve(NOTES, https_only=True)
