"""No secret leaves, however a text writes it; everything else does."""

import base64
import html
import json
from collections.abc import AsyncIterator
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specwright.model.errors import Origin
from specwright.model.requirement import Requirement
from specwright.verify.check import Check
from specwright.verify.lab import Lab
from specwright.verify.people.confidential import confidential_name
from specwright.verify.people.people import ANONYMOUS
from specwright.verify.reports import text
from specwright.verify.reports.document import document
from specwright.verify.reports.junit import junit
from specwright.verify.reports.markdown import markdown
from specwright.verify.reports.masking import Mask
from specwright.verify.reports.page import page
from specwright.verify.reports.report import Report
from specwright.verify.reports.sarif import sarif
from specwright.verify.requirements.evidence import Difference, Evidence, Exchange, Failure
from specwright.verify.result import Probe, Result, Standing

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x"
ARGON2 = "$argon2id$v=19$m=1024,t=1,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b/dWRWJTmaaJObG"
BCRYPT = "$2b$12$abcdefghijklmnopqrstuuW8Wl0fP3Zb5Pm3hWlK5QvN0pWn1Rj2i"
SCRYPT = "scrypt:32768:8:1$iYzNmRhZTQ$5f4dcc3b5aa765d61d8327deb882cf99"
PBKDF2 = "pbkdf2_sha256$600000$abcdefghijkl$Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"


async def nothing(lab: Lab) -> AsyncIterator[Result]:
    """A check that looks at nothing."""
    return
    yield


CHECK = Check("EX01", "exposure", "Nothing.", 3, ("CWE-200",), "Do not.", nothing)


def _report(secret: str) -> Report:
    """A run that has met a secret everywhere it can be met."""
    body = json.dumps({"email": "ada@example.com", "password": secret, "note": f"it is {secret}"}).encode()
    probe = Probe(
        ANONYMOUS,
        "POST",
        f"/login/{quote(secret, safe='')}?{urlencode({'q': secret})}",
        (("authorization", f"Bearer {secret}"), ("x-api-key", secret), ("content-type", "application/json")),
        body,
        200,
        (("set-cookie", f"sid={secret}; HttpOnly; Path=/"), ("x-echo", secret)),
        f"<b>{html.escape(secret)}</b> {base64.b64encode(secret.encode()).decode()}".encode(),
        statements=(f"SELECT 1 WHERE pw = '{secret}'",),
    )
    form = Probe(ANONYMOUS, "POST", "/login", body=urlencode({"password": secret}).encode(), trouble=secret)
    found = CHECK.broken("POST /login", f"it shows {secret}", probe, form, case=secret).because(f"'{secret}'")
    exchange = Exchange(
        Origin("spec.md", 1), "GET", f"/x?token={quote(secret)}", "ada", (), secret,
        (("cookie", f"sid={secret}"),), secret, 200, (("set-cookie", f"sid={secret}"),), secret,
    )  # fmt: skip
    failure = Failure(Origin("spec.md", 1), (Difference("x", secret, secret),), secret, exchange)
    requirement = Requirement("tasks/FR-001", "FR-001", "tasks", "It is so.")
    return Report(
        f"http://ada:{quote(secret, safe='')}@127.0.0.1:8000",
        requirements=[
            Evidence(requirement, Standing.BROKEN, (exchange,), failure),
            Evidence(requirement, Standing.NOT_RUN, why=secret),
        ],
        checks=[CHECK],
        results=[
            found,
            CHECK.ask("GET /x", f"is {secret} meant?", probe),
            CHECK.suspected("GET /y", f"{secret} is written"),
            CHECK.not_run("GET /z", secret, probe),
            CHECK.proved("GET /a", secret, probe),
        ],
        notes=[f"started with {secret}"],
    )


@given(st.text("abcXYZ0189-_+/=.:&%\"'<é€ ", min_size=10, max_size=40).map(lambda drawn: f"Zq9{drawn}!"))
def test_no_format_holds_a_secret_that_is_known(secret: str) -> None:
    """Whatever it is made of, and however a URL, a form, JSON, HTML or Base64 writes it."""
    shown = Mask({secret: "password of ada"}).report(_report(secret))
    told = [write(shown) for write in (document, junit, sarif, markdown, page)]
    told += ["\n".join(text.finding(found, whole=True)) for found in shown.findings]
    told += ["\n".join(text.summary(shown))]
    written = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        urlencode({"q": secret})[2:],
        html.escape(secret),
        base64.b64encode(secret.encode()).decode(),
    }
    for each in told:
        assert not [form for form in written if form in each]
    assert "‹password of ada›" in told[0]


@pytest.mark.parametrize("secret", [JWT, ARGON2, BCRYPT, SCRYPT, PBKDF2])
def test_a_secret_that_nobody_knows_is_known_by_its_shape(secret: str) -> None:
    """Tokens and hashes of passwords, wherever they stand."""
    for said in (secret, f'{{"a": "{secret}"}}', f"it answers {secret}, twice", f"x={secret}"):
        assert secret[-12:] not in Mask().text(said)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ('{"password": "a\\"b", "name": "ada"}', '{"password": "‹password›", "name": "ada"}'),
        ('{"access_token":"abc","token_type":"bearer"}', '{"access_token":"‹token›","token_type":"bearer"}'),
        ('{"hashedPassword": "x1"}', '{"hashedPassword": "‹hash›"}'),
        ('{"passwordHash": "x1"}', '{"passwordHash": "‹hash›"}'),
        ("INFO {'username': 'ada', 'password': 'pw1'}", "INFO {'username': 'ada', 'password': '‹password›'}"),
        ('"{\\"secret\\": \\"abc\\"}"', '"{\\"secret\\": \\"‹secret›\\"}"'),
        ("username=ada&password=p%40ss&x=1", "username=ada&password=‹password›&x=1"),
        ("GET /x?api_key=abc&limit=5", "GET /x?api_key=‹key›&limit=5"),
        ("UPDATE u SET pw = 'abc', n = 'x'", "UPDATE u SET pw = '‹password›', n = 'x'"),
        ("set-cookie: sid=abc; HttpOnly", "set-cookie: sid=‹cookie›; HttpOnly"),
        ("authorization: Bearer abc", "authorization: Bearer ‹token›"),
        ("postgresql://app:hunter2@db/x", "postgresql://app:‹password›@db/x"),
    ],
)
def test_what_is_named_like_a_secret_is_masked_and_nothing_beside_it(said: str, shown: str) -> None:
    """A reader still sees what was there."""
    assert Mask().text(said) == shown
    assert Mask().text(shown) == shown


@pytest.mark.parametrize(
    "said",
    [
        '{"next_page_token": "abc", "key": "k", "title": "my password"}',
        "SELECT id FROM u WHERE password_hash = $1 AND token = %s",
        "the secret of success; a hash of it; nothing about cookies",
        "as ada: GET /password-resets → 404",
        'WWW-Authenticate: Bearer realm="shop"',
        '{"monkey": "banana", "keyboard": "x", "sidebar": "left", "compass": "north"}',
    ],
)
def test_what_is_no_secret_stays(said: str) -> None:
    """Parameters of statements, what leads to the next page, words."""
    assert Mask().text(said) == said


def test_a_short_secret_is_masked_as_a_word_alone() -> None:
    """Ids and statuses that have it in them stay."""
    assert Mask({"4711": "password of ada"}).text("4711 is not 147110") == "‹password of ada› is not 147110"


def test_the_id_of_a_finding_is_that_of_what_is_shown() -> None:
    """With a secret in it that is another in each run, a finding is replayed by the same id."""
    first, second = (
        Mask({secret: "token of ada"}).result(CHECK.broken("GET /x", "seen", case=f"by {secret}"))
        for secret in ("first-secret-1", "second-secret-2")
    )
    assert first.id == second.id


@pytest.mark.parametrize(
    ("name", "kind"),
    [("userPassword", "password"), ("x-api-key", "key"), ("refresh_token", "token"), ("token_type", None),
     ("password_hash", "hash"), ("key", None), ("nextToken", None), ("client_secret", "secret")],
)  # fmt: skip
def test_names_tell_secrets(name: str, kind: str | None) -> None:
    """In whatever way their words are joined."""
    assert confidential_name(name) == kind


@pytest.mark.parametrize("said", ["a", "passkey", "\\", "eyJ", "cookie: "])
def test_long_texts_are_read_once(said: str) -> None:
    """Answers hold words of many letters: what looks for names does not begin at each letter anew."""
    assert Mask({}).text('"pin_token": "abc", ' + said * 100_000).startswith('"pin_token": "‹token›"')


def test_a_row_of_dashes_is_no_hash() -> None:
    """The name of a way to hash may be underlined."""
    assert Mask({}).text("scrypt" + "-" * 1000) == "scrypt" + "-" * 1000
