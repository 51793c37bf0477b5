"""Serving the page: a socket of our own, so that a taken port is one clear line, and uvicorn on it.

Guarantees: what is said about the address is true when it is said: connections are accepted from then on.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

from semcoder.errors import UsageError
from semcoder.web.app import create_app
from semcoder.web.guard import is_loopback
from semcoder.web.settings import Settings

#: Connections at a time: more are answered 503 by uvicorn itself.
_CONNECTIONS = 512


def serve(settings: Settings, told: Callable[[str], None], warned: Callable[[str], None] = print) -> None:
    """Serve until Ctrl-C. `told` gets the page's address. Raises `UsageError` where the address cannot be had."""
    app = create_app(settings)
    with bound(settings.host, settings.port) as listener:
        if not is_loopback(settings.host):
            warned(
                f"{settings.host} can be reached from other machines, and this page knows no passwords: whoever "
                "reaches it may run programs in the sandbox and read the corpora"
            )
        told(address(listener))
        server(app).run(sockets=[listener])


def server(app: Any) -> Any:
    """A uvicorn server for the application; `run(sockets=[...])` serves."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="on",
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=3,
        )
    )


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free one. Raises `UsageError`."""
    try:
        family, kind, proto, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError, OverflowError):
        raise UsageError(f"there is no address {host!r} with port {port} to listen on") from None
    listener = socket.socket(family, kind, proto)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(256)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {port} of {host} is taken; give another with --port (0: any free one)") from None
        raise UsageError(f"{host} port {port} cannot be listened on: {error.strerror or error}") from None
    return listener


def address(listener: socket.socket) -> str:
    """The address of the page that a socket serves."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
