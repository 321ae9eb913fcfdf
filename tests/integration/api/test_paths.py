"""Paths, methods and headers as they come over the wire."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from served import PREFIX, Served


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v1/things/",
        "/api/v1//things",
        "//api/v1/things",
        "/api/v2/things",
        "/API/v1/things",
        "/api/v1/Things",
        "/api/v1/things/../things",
        "/api/v1/./things",
        "/api/v1/things;a=b",
        "/api/v1/things%2f",
        "/api/v1%2fthings",
        "/api/v1/things%00",
        "/api/v1/things/x/y",
        "/api/v1/things/x/",
        "/api/v1/users",
        "/api/v1/users/ada",
        "/api/v1/" + "x" * 8000,
        "/health",
        "/health/live/",
        "/health/x",
        "/etc/passwd",
        "/..%2f..%2fetc/passwd",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_paths(shop: Served, method: str, path: str) -> None:
    """404 in the one shape of all problems."""
    answer = shop.request(method, path, "content-length: 0")
    assert (answer.status, answer.code) == (404, "not_found"), answer


def test_methods_that_a_path_does_not_take(shop: Served) -> None:
    """405 with `Allow`, whoever asks."""
    row = f"{PREFIX}/things/01a1fb4a-9299-714f-9210-30d2911da5bb"
    for path, allowed, methods in (
        (f"{PREFIX}/things", "GET, HEAD, POST, PATCH, DELETE, OPTIONS", ("PUT", "TRACE")),
        (row, "GET, HEAD, PATCH, PUT, DELETE, OPTIONS", ("POST", "TRACE")),
        ("/health/live", "GET, HEAD, OPTIONS", ("POST", "DELETE")),
        ("/health/ready", "GET, HEAD, OPTIONS", ("POST", "DELETE")),
    ):
        for method in methods:
            for person in (None, "ada"):
                answer = shop.request(method, path, "content-length: 0", as_=person)
                assert (answer.status, answer.code) == (405, "method_not_allowed"), (method, path)
                assert answer.headers["allow"] == allowed


def test_head_is_get_without_a_body(shop: Served) -> None:
    """The same status and headers; a refusal too."""
    ada = shop.person("ada")
    row = ada.made("/things", {"name": "x"})
    for path in (f"/things/{row['id']}", f"/things?id={row['id']}", "/things/x", "/things?limit=0"):
        got = shop.request("GET", PREFIX + path)
        head = shop.request("HEAD", PREFIX + path)
        assert head.status == got.status
        assert head.body == b""
        varying = {"date", "x-request-id"}
        assert {k: v for k, v in head.headers.items() if k not in varying} == {
            k: v for k, v in got.headers.items() if k not in varying
        }
    assert shop.request("HEAD", "/health/live", as_=None).status == 200
    assert shop.request("HEAD", f"{PREFIX}/things", as_=None).status == 401


def test_keys_in_every_spelling(shop: Served) -> None:
    """A UUID in either case and percent-encoded is the row; decoded twice, or anything else, is none."""
    ada = shop.person("ada")
    key = ada.made("/things", {"name": "x"})["id"]
    for good in (key, key.upper(), key.replace("-", "%2D"), "%" + f"{ord(key[0]):02x}" + key[1:]):
        assert shop.request("GET", f"{PREFIX}/things/{good}").status == 200, good
    for bad in (
        key.replace("-", "%252D"),
        key.replace("-", ""),
        f"{{{key}}}",
        f"%7B{key}%7D",
        f"urn:uuid:{key}",
        f"{key}%00",
        f"{key}%20",
        f"%20{key}",
        f"{key}%0A",
        f"{key}'",
        f"{key}%27--",
        key[:-1],
        key + "0",
        "1",
        "%",
        "%ff%fe",
        "%F0%9F%98%80",
        "null",
        ".",
        "..",
        "x" * 8000,
    ):
        for method in ("GET", "DELETE"):
            answer = shop.request(method, f"{PREFIX}/things/{bad}")
            assert (answer.status, answer.code) == (404, "not_found"), bad
    assert ada.get(f"/things/{key}").status == 200


@pytest.mark.parametrize(
    "name", ["content-type", "if-match", "if-none-match", "content-encoding", "authorization"]
)
def test_headers_that_must_be_unique(shop: Served, name: str) -> None:
    """Sent twice they are 400: two readers might take different ones."""
    answer = shop.request(
        "POST", f"{PREFIX}/things", f"{name}: application/json", f"{name}: application/json", body=b"{}"
    )
    assert (answer.status, answer.code) == (400, "malformed")


def test_two_lengths(shop: Served) -> None:
    """The classic of request smuggling ends in a refusal."""
    for headers in (
        ("content-length: 2", "content-length: 20"),
        ("content-length: 2", "transfer-encoding: chunked"),
        ("content-length: -1",),
        ("content-length: 0x10",),
        ("transfer-encoding: chunked, identity",),
    ):
        answer = shop.request(
            "POST", f"{PREFIX}/things", "content-type: application/json", *headers, body=b"{}"
        )
        assert answer.status in (400, 411, 413, 415, 422, 501), (headers, answer)


def test_if_match(shop: Served) -> None:
    """`If-Match` names versions, `*`, or several; another version is 412 and changes nothing."""
    ada = shop.person("ada")
    made = ada.post("/things", {"name": "x"})
    path = f"/things/{made.json()['id']}"
    first = made.headers["etag"]
    changed = ada.patch(path, {"name": "y"}, headers={"if-match": first})
    assert changed.status == 200
    for stale in (
        first,
        f'"x", {first}',
        '"x"',
        "x",
        "",
        f"W/{first}",
        '"1-"',
        '"-1-00"',
        '"99999999999999999999-0"',
    ):
        for send in (
            lambda tag: ada.patch(path, {"name": "z"}, headers={"if-match": tag}),
            lambda tag: ada.put(path, {"name": "z"}, headers={"if-match": tag}),
            lambda tag: ada.delete(path, headers={"if-match": tag}),
        ):
            answer = send(stale)
            assert (answer.status, answer.code) == (412, "precondition_failed"), stale
    assert ada.get(path).json()["name"] == "y"
    assert (
        ada.patch(path, {"name": "y"}, headers={"if-match": f"{first}, {changed.headers['etag']}"}).status
        == 200
    )
    assert ada.patch(path, {"name": "y"}, headers={"if-match": "*"}).status == 200
    assert ada.delete(path, headers={"if-match": ada.get(path).headers["etag"]}).status == 204
    assert ada.delete(path, headers={"if-match": first}).status == 404


def test_if_none_match(shop: Served) -> None:
    """The very same answer is 304 without a body; other fields are another answer."""
    ada = shop.person("ada")
    path = f"/things/{ada.made('/things', {'name': 'x'})['id']}"
    tag = ada.get(path).headers["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = ada.get(path, headers={"if-none-match": known})
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    assert ada.get(f"{path}?fields=name", headers={"if-none-match": tag}).status == 200
    ada.patch(path, {"name": "y"})
    assert ada.get(path, headers={"if-none-match": tag}).status == 200


def test_one_of_two_wins(shop: Served) -> None:
    """Of many changes at once that all name one version, exactly one is made; the others are 412."""
    ada = shop.person("ada")
    made = ada.post("/things", {"name": "x"})
    path = f"/things/{made.json()['id']}"
    tag = made.headers["etag"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda n: ada.patch(path, {"amount": n}, headers={"if-match": tag}), range(24))
        )
    assert sorted(answer.status for answer in answers) == [200] + [412] * 23
    (won,) = (answer for answer in answers if answer.status == 200)
    assert ada.get(path).json() == won.json()
    assert won.headers["etag"].startswith('"2-')


def test_changes_at_once_without_a_version(shop: Served) -> None:
    """Each is made, one after the other: no update is lost between different fields."""
    ada = shop.person("ada")
    path = f"/things/{ada.made('/things', {'name': 'x'})['id']}"
    bodies = [{"amount": 7}, {"big": 8}, {"labels": ["a"]}, {"price": "1.50"}, {"sold": True}]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda body: ada.patch(path, body), bodies))
    assert [answer.status for answer in answers] == [200] * 5
    row = ada.get(path).json()
    assert {name: row[name] for body in bodies for name in body} == {
        k: v for body in bodies for k, v in body.items()
    }


def test_deletes_at_once(shop: Served) -> None:
    """One deletes, the others find nothing."""
    ada = shop.person("ada")
    path = f"/things/{ada.made('/things', {'name': 'x'})['id']}"
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ada.delete(path), range(6)))
    assert sorted(answer.status for answer in answers) == [204] + [404] * 5
