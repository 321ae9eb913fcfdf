"""What is asked of every request before it is anybody's; the settings, worked out once."""

from collections.abc import Mapping

from specwright.api.cors import Cors
from specwright.api.deadline import Deadline
from specwright.api.hosts import Hosts
from specwright.api.problems import Problem
from specwright.api.proxies import Proxies
from specwright.api.request import Headers, Scope
from specwright.model.errors import ConfigError
from specwright.settings import Settings
from specwright.settings.safety import contradictions

#: A year: the least that browsers' own lists of such hosts take.
_STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
_SECURITY: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
#: Data are no page: nothing in them is to be run, and nothing frames them.
_DATA_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PAGE_POLICY = (b"content-security-policy", b"frame-ancestors 'none'")
PRIVATE = (b"cache-control", b"private, no-store")


class Edge:
    """Proxies, hosts, HTTPS and origins, and the header lines of every answer.

    Raises:
        ConfigError: two settings contradict each other.
    """

    def __init__(self, settings: Settings) -> None:
        if faults := contradictions(settings):
            raise ConfigError("\n".join(faults))
        self.deadline = Deadline(settings.request_timeout)
        self.cors = Cors(settings) if settings.cors_origins else None
        self._proxies = Proxies(settings.proxy_addresses) if settings.proxy_addresses else None
        self._hosts = Hosts(settings.allowed_hosts) if settings.allowed_hosts else None
        self._https_only = settings.https_only
        #: Whether anything is asked at all: most requests are spared the question.
        self.guarded = self._proxies is not None or self._hosts is not None or self._https_only
        security = (*_SECURITY, _STRICT_TRANSPORT) if settings.https_only else _SECURITY
        vary = b"accept-encoding, origin" if self.cors else b"accept-encoding"
        #: The lines of our own answers, which are data for one caller.
        self.derived: Headers = (*security, _DATA_POLICY, PRIVATE, (b"vary", vary))
        #: The lines of the application's answers, where those do not say otherwise.
        self.passed: Headers = (*security, _PAGE_POLICY)

    def correct(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Believe the proxies that are to be believed."""
        if self._proxies is not None:
            self._proxies.apply(scope, headers)

    def admit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Refuse what is not for this server, or came in the clear.

        In the clear means refused, not redirected: a client that is redirected goes on sending its token to
        whoever listens.

        Raises:
            Problem: misdirected or https_required.
        """
        if self._https_only and scope["scheme"] != "https":
            raise Problem("https_required")
        if self._hosts is not None:
            several = sum(name == b"host" for name, _ in scope["headers"]) > 1
            if several or not self._hosts.include(headers.get(b"host")):
                raise Problem("misdirected")
