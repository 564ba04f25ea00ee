"""The process that runs other people's libraries reaches nobody."""

import sys
from typing import Any

_NETWORK = frozenset({"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"})


def enforce() -> None:
    """Refuse every connection from here on, whoever asks; there is no way back.

    Raises, for who asks: PermissionError.
    """
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _NETWORK:
        raise PermissionError(f"This process uses no network ({event}).")
