"""A listening socket on this machine, for an app that is served to one client here."""

import socket


def listener(port: int = 0) -> socket.socket:
    """A socket that listens on loopback, at a free port or at this one.

    It says that it speaks TCP, as `socket.create_server` does not: asyncio turns off the delay of small
    packets only then, and each answer in two parts would come 40 milliseconds late.

    Raises:
        OSError: the port is taken.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made
