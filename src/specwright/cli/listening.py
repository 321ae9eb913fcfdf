"""The socket a backend is reached at; the supervisor owns it, so that no restart refuses a connection."""

import errno
import socket

from specwright.model.errors import ConfigError

_BACKLOG = 2048
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket.

    Raises:
        ConfigError: the port is taken or not allowed, or the host is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(f"--host {host} is no address of this machine ({error.strerror}).") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(_reason(error, host, port)) from None
    listener.setblocking(False)
    return listener


def url(listener: socket.socket) -> str:
    """The address to type on this machine."""
    host, port = listener.getsockname()[:2]
    host = _WILDCARDS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _reason(error: OSError, host: str, port: int) -> str:
    other = f"choose another one with --port {port + 1 if port < 65535 else 8000}"
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken: stop what listens there, or {other}."
    if error.errno == errno.EACCES:
        return f"Port {port} is not for ordinary users: choose one above 1023, such as --port 8000."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--host {host} is no address of this machine: 127.0.0.1 is, and 0.0.0.0 means all."
    return f"Nothing can listen on {host}:{port} ({error.strerror}): {other}."
