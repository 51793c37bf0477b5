"""What stands before every request: who may ask, and with what headers answers leave.

A page on another site can make a visitor's browser send requests to this machine. It must neither read an answer nor
have anything run: so the name in `Host` must be this server's (a rebound DNS name is not), everything under `/api` must
come from this page (`Origin`, `Sec-Fetch-Site`), and what is sent must be JSON, which no form can send.

Guarantees: a request that is refused reaches no endpoint; every answer has the security headers, errors included.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """The middleware. `host`: the address that the server listens on."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._names = {host.lower(), "localhost"}
        self._open = not is_loopback(host)
        if self._open:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, sealed)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            hint = "open the address that semcoder ui printed"
            return refused(421, f"this server does not answer to the name {host[:100]!r}", hint)
        if not scope["path"].startswith("/api/"):
            return None
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        asked_here = site is None or site == "same-origin" or (site == "none" and scope["method"] == "GET")
        if not asked_here or (origin is not None and not _is_origin(origin, host)):
            return refused(403, "requests from other pages are refused", "use the page that this server shows")
        if scope["method"] == "POST" and _media_type(headers.get("content-type", "")) != "application/json":
            return refused(415, "what is sent here must be JSON", "send it as Content-Type: application/json")
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether a `Host` names this server. A numeric address does, whatever it is: no DNS name can be one."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
            urlsplit(f"//{host}").port  # noqa: B018  (raises for what is no port)
        except ValueError:
            return False
        if name in self._names:
            return True
        address = _address(name)
        return address is not None and (self._open or address.is_loopback)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether what listens there can be reached from this machine alone."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _is_origin(origin: str, host: str) -> bool:
    return origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def refused(status: int, error: str, hint: str = "") -> JSONResponse:
    return JSONResponse({"error": error, **({"hint": hint} if hint else {})}, status)
