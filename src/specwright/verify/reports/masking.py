"""The one place that everything goes through before it leaves: secrets become `‹password of ada›`, `‹token›`.

Masked is what the run knows, in each way that texts write it, and what looks like a secret.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, quote_plus

from specwright.verify.people.confidential import confidential_name
from specwright.verify.reports.report import Report
from specwright.verify.requirements.evidence import Evidence, Exchange, Failure
from specwright.verify.result import Probe, Result

#: A known secret that is shorter is masked where its name tells it, one shorter than `_WORD` only as a word.
_SHORTEST, _WORD = 4, 8
_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token"}
)
_HINTS = r"(?:pass|pwd|pw|secret|token|hash|digest|jwt|sid|otp|key|credential)"
#: A member of JSON, or of a mapping as Python writes it; also within another text. Names are taken in one go:
#: an answer may hold words of many thousand letters.
_MEMBER = re.compile(
    rf"(?P<q>\\{{0,31}}[\"'])(?=[\w.\-]*?{_HINTS})(?P<name>[\w.\-]++)(?P=q)(?P<between>\s*:\s*)"
    r"(?P<v>\\*[\"'])(?P<value>(?:(?!(?P=v))(?:\\.|.))*)",
    re.I | re.S,
)
#: A member of a form or a query; or a comparison with a text, as in SQL.
_FIELD = re.compile(
    rf"(?<![\w.\-\[\]])(?=[\w.\-\[\]]*?{_HINTS})(?P<name>[\w.\-\[\]]++)"
    r"(?:(?P<between>=)(?P<value>[^&\s\"'<>#;,)]+)|(?P<sql>\s*=\s*)'(?P<text>[^']*)')",
    re.I,
)
_HEADER = re.compile(
    rf"\b(?P<name>{'|'.join(sorted(_HEADERS, key=len, reverse=True))})(?P<between>[\"']?\s*:\s*[\"']?)"
    r"(?P<value>[^\"'\r\n]+)",
    re.I,
)
_SCHEME = re.compile(r"(?i)\b(bearer|basic|token|apikey|digest)( +)([\w.~+/=\-]{16,})")
_SHAPES = (
    (re.compile(r"\beyJ[\w\-]{8,}(?:\.[\w\-]*)*"), "‹token›"),
    (re.compile(r"\$argon2[a-z]*\$[\w$=,+/.\-]+"), "‹password hash›"),
    (re.compile(r"\$2[abxy]?\$\d\d\$[\w./]{20,}"), "‹password hash›"),
    (re.compile(r"\$(?:5|6|7|y|gy|scrypt|s0|pbkdf2[\w\-]*)\$[\w./$=,+\-]{16,}"), "‹password hash›"),
    (re.compile(r"\b(?:scrypt|pbkdf2)[\w:\-]*[:$][\w:$./=+\-]{16,}"), "‹password hash›"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.S), "‹private key›"),
)
_ADDRESS = re.compile(r"(://[^/\s:@\"']*:)[^/\s@\"']+@")
_PLACEHOLDER = re.compile(r"(?:\$\d+|\?|%s|:\w+|%\(\w+\)s|\{\w*\})\Z")
_MASKED = re.compile(r"(?:\w+ )?‹[^›]*›\Z")


class Mask:
    """Knows some secrets by what they are, and the rest by how they look."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        written = {
            form: what
            for text, what in (secrets or {}).items()
            if len(text) >= _SHORTEST and confidential_name(text) is None
            for form in _forms(text)
        }
        # The longest first: one may be part of another.
        self._known = sorted(written.items(), key=lambda known: -len(known[0]))

    def text(self, said: str) -> str:
        """A text without secrets; the same text where it has none."""
        for secret, what in self._known:
            if secret in said:
                if len(secret) >= _WORD:
                    said = said.replace(secret, f"‹{what}›")
                else:
                    said = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", f"‹{what}›", said)
        for shape, instead in _SHAPES:
            said = shape.sub(instead, said)
        said = _HEADER.sub(_header, said)
        said = _MEMBER.sub(_member, said)
        said = _FIELD.sub(_field, said)
        said = _SCHEME.sub(r"\1\2‹token›", said)
        return _ADDRESS.sub(r"\1‹password›@", said)

    def report(self, report: Report) -> Report:
        """Everything that a report tells."""
        return replace(
            report,
            target=self.text(report.target),
            command=self.text(report.command),
            requirements=[self.evidence(each) for each in report.requirements],
            results=[self.result(each) for each in report.results],
            notes=self._texts(report.notes),
        )

    def result(self, result: Result) -> Result:
        """What a check says, and its requests and answers."""
        return replace(
            result,
            says=self.text(result.says),
            subject=self.text(result.subject),
            case=self.text(result.case),
            cause=self.text(result.cause),
            remedy=self.text(result.remedy),
            details=self._texts(result.details),
            probes=tuple(self._probe(each) for each in result.probes),
        )

    def evidence(self, evidence: Evidence) -> Evidence:
        """What became of a requirement, and its requests and answers."""
        return replace(
            evidence,
            exchanges=tuple(self._exchange(each) for each in evidence.exchanges),
            failure=None if evidence.failure is None else self._failure(evidence.failure),
            why=self.text(evidence.why),
        )

    def _probe(self, probe: Probe) -> Probe:
        return replace(
            probe,
            path=self.text(probe.path),
            headers=self._headers(probe.headers),
            body=None if probe.body is None else self._bytes(probe.body),
            answer_headers=self._headers(probe.answer_headers),
            answer=self._bytes(probe.answer),
            trouble=self.text(probe.trouble),
            statements=None if probe.statements is None else self._texts(probe.statements),
        )

    def _exchange(self, exchange: Exchange) -> Exchange:
        return replace(
            exchange,
            path=self.text(exchange.path),
            claims=None if exchange.claims is None else self.text(exchange.claims),
            headers=self._headers(exchange.headers),
            body=None if exchange.body is None else self.text(exchange.body),
            answer_headers=self._headers(exchange.answer_headers),
            answer=self.text(exchange.answer),
        )

    def _failure(self, failure: Failure) -> Failure:
        differences = tuple(
            replace(each, expected=self.text(each.expected), got=self.text(each.got))
            if confidential_name(each.at.rpartition(".")[2]) is None
            else replace(each, expected="‹kept›", got="‹kept›")
            for each in failure.differences
        )
        exchange = None if failure.exchange is None else self._exchange(failure.exchange)
        return replace(failure, differences=differences, reason=self.text(failure.reason), exchange=exchange)

    def _headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple((name, _value(name, self.text(value))) for name, value in headers)

    def _texts(self, said: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.text(each) for each in said)

    def _bytes(self, said: bytes) -> bytes:
        return self.text(said.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _forms(secret: str) -> Iterator[str]:
    """A secret as texts write it: as it is, in JSON, in a URL or a form, in HTML, in Base64."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield html.escape(secret)
    yield base64.b64encode(secret.encode("utf-8", "replace")).decode()


def _value(name: str, value: str) -> str:
    """A header's value, as much of it as anybody may read."""
    kind = name.lower()
    if kind in ("cookie", "set-cookie"):
        first, *rest = value.split(";")
        kept = rest if kind == "set-cookie" else [_cookie(each) for each in rest]
        return ";".join((_cookie(first), *kept))
    if (kind not in _HEADERS and confidential_name(name) is None) or _MASKED.match(value):
        return value
    scheme, _, text = value.partition(" ")
    return f"{scheme} ‹token›" if text else "‹token›" if "auth" in kind else f"‹{kind}›"


def _cookie(pair: str) -> str:
    name, _, value = pair.partition("=")
    if not value.strip('" ') or _MASKED.match(value):
        return pair
    return f"{name}=‹cookie›"


def _header(found: re.Match[str]) -> str:
    return f"{found['name']}{found['between']}{_value(found['name'], found['value'])}"


def _member(found: re.Match[str]) -> str:
    what = confidential_name(found["name"])
    if what is None or not found["value"] or _MASKED.match(found["value"]):
        return found[0]
    return f"{found['q']}{found['name']}{found['q']}{found['between']}{found['v']}‹{what}›"


def _field(found: re.Match[str]) -> str:
    what = confidential_name(found["name"])
    value = found["text"] or found["value"]
    if what is None or not value or _PLACEHOLDER.match(value) or value.startswith("‹"):
        return found[0]
    if found["sql"]:
        return f"{found['name']}{found['sql']}'‹{what}›'"
    return f"{found['name']}={f'‹{what}›'}"
