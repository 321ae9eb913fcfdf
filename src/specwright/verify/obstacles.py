"""What keeps an app from being verified, in one sentence: from the beginning, or from some time on."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from urllib.parse import urlsplit

from specwright.model.errors import ConfigError
from specwright.verify.lab import Lab
from specwright.verify.patience import patiently
from specwright.verify.result import Probe

#: A path that nobody serves.
_NOWHERE = "/specwright-looks-for-a-page-that-is-not-there"
#: Requests that were good, by which it is seen whether we are still answered.
_FEW = 3
_LIMITS = "The app limits how often we may ask (429): switch its limits off for a run."


async def refuse_if_nothing_works(lab: Lab) -> None:
    """Say why no request was answered as one wants, where that has one reason.

    Raises:
        ConfigError: everything is redirected, limited, answered with HTML, or not answered.
    """
    probes = await _without_the_door(lab)
    if not probes or any(probe.succeeded and not _html(probe) for probe in probes):
        return
    for holds, sentence in _REASONS:
        if all(map(holds, probes)):
            raise ConfigError(sentence.format(to=_location(probes[0]), why=probes[0].trouble))


async def shut_out(lab: Lab, since: Sequence[Probe]) -> str:
    """Why nothing more can be asked, where requests since then say so; "" where the app answers.

    What was good before is asked again: a login may be limited, and all else go on.
    """
    if not any(map(_limited, since)):
        return ""
    good = {probe.path: probe for probe in lab.probes if probe.method == "GET" and probe.succeeded}
    for probe in islice(good.values(), _FEW):
        if not _limited(await patiently(partial(lab.sent, probe))):
            return ""
    return _LIMITS if good else ""


async def _without_the_door(lab: Lab) -> list[Probe]:
    """The requests; without those to the page that everything leads to, if everything does."""
    probes = [*lab.probes]
    if not any(map(_redirected, probes)):
        return probes
    nowhere = await lab.sent(Probe(lab.people.owner, "GET", _NOWHERE))
    if not _redirected(nowhere):
        return probes
    door = urlsplit(_location(nowhere)).path
    return [probe for probe in probes if urlsplit(probe.path).path != door]


def _location(probe: Probe) -> str:
    return next((value for name, value in probe.answer_headers if name.lower() == "location"), "nowhere")


def _html(probe: Probe) -> bool:
    return any(name.lower() == "content-type" and "html" in value for name, value in probe.answer_headers)


def _limited(probe: Probe) -> bool:
    return probe.status == 429


def _redirected(probe: Probe) -> bool:
    return probe.status is not None and 300 <= probe.status < 400


def _broken(probe: Probe) -> bool:
    return probe.status is not None and probe.status >= 500


_REASONS: tuple[tuple[Callable[[Probe], bool], str], ...] = (
    (lambda probe: probe.status is None, "The app answers no request: {why}."),
    (_redirected, "The app redirects every request, to {to} first: verify it there."),
    (_limited, _LIMITS),
    (_broken, "The app fails on every request (5xx): see what it logs."),
    (_html, "The app answers HTML: verify is for APIs that answer JSON."),
)
