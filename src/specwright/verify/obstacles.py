"""What keeps an app from being verified at all, in one sentence."""

from collections.abc import Callable, Sequence

from specwright.model.errors import ConfigError
from specwright.verify.result import Probe


def refuse_if_nothing_works(probes: Sequence[Probe]) -> None:
    """Say why no request was answered as one wants, where that has one reason.

    Raises:
        ConfigError: everything is redirected, limited, answered with HTML, or not answered.
    """
    if not probes or any(probe.succeeded and not _html(probe) for probe in probes):
        return
    for holds, sentence in _REASONS:
        if all(map(holds, probes)):
            raise ConfigError(sentence.format(to=_location(probes[0]), why=probes[0].trouble))


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
    (_limited, "The app limits how often we may ask (429): switch its limits off for a run."),
    (_broken, "The app fails on every request (5xx): see what it logs."),
    (_html, "The app answers HTML: verify is for APIs that answer JSON."),
)
