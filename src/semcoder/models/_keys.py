"""Which server a spec names, and which key it gets: keys come from the environment, and from nowhere else.

Guarantees: a key is read when a run starts and is kept by nothing here; it never goes to a machine over a connection
that others can read, unless it was set for that machine; no message holds one.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from semcoder.errors import UsageError

OFFICIAL = "https://api.openai.com/v1"
#: What a server without keys is sent in place of one.
NO_KEY = "no-key"
#: What a server's answer says where it repeats the key.
#: Characters from which a key counts as a secret.
LEAST_KEY = 16
CUT = "[key]"


@dataclass(frozen=True, slots=True)
class Server:
    """A server by its base URL, without a slash at the end."""

    url: str

    @classmethod
    def parse(cls, rest: str) -> tuple[str, Server]:
        """The model's name and the server of `NAME` or `NAME@BASE_URL`. Names may hold `@` themselves."""
        found = re.fullmatch(r"(.+?)@(https?://.*)", rest, re.DOTALL)
        name, url = (found[1], found[2]) if found else (rest, OFFICIAL)
        if not name or name.startswith(("http://", "https://", "@http")):
            raise UsageError("a model behind a server is written openai:NAME or openai:NAME@BASE_URL")
        if not found and re.search(r"@(localhost\b|[^@/]*:\d+(/|$))", name):
            raise UsageError(f"the base URL in openai:{name} must begin with http:// or https://")
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise UsageError(f"the base URL of the model {name} is not a URL") from None
        # The URL is not repeated here: what is wrong with it may be a password in it.
        if parts.username is not None or parts.query or parts.fragment:
            raise UsageError(
                f"the base URL of the model {name} must hold no user, password or query: "
                f"put the key into {variable(host)}"
            )
        if not host or re.search(r"[\s\x00-\x1f]", url):
            raise UsageError(f"the base URL of the model {name} names no host; one looks like http://localhost:8000/v1")
        return name, cls(url.rstrip("/"))

    @property
    def variable(self) -> str:
        """The environment variable for this host's own key."""
        return variable(urlsplit(self.url).hostname)

    @property
    def official(self) -> bool:
        return urlsplit(self.url).hostname == "api.openai.com"

    def key(self) -> str:
        """The key that this server gets now. Raises `UsageError` where there must be one, or it cannot be sent."""
        names = [self.variable, "OPENAI_API_KEY"] if self._private else [self.variable]
        for name in names:
            key = os.environ.get(name, "").strip()
            if key and not re.fullmatch(r"[!-~]+", key):
                raise UsageError(
                    f"the key in {name} holds characters that no key has (spaces, quotes of a text editor)"
                )
            if key:
                return key
        if self.official:
            raise UsageError(
                f"{self.url} needs a key: set OPENAI_API_KEY, or name your own server: openai:NAME@BASE_URL"
            )
        return NO_KEY

    @property
    def help(self) -> str:
        """What to do about a key that was refused."""
        if self._private:
            return f"set OPENAI_API_KEY, or {self.variable} for this server alone"
        return f"set {self.variable} (OPENAI_API_KEY is not sent to other machines over plain http)"

    @property
    def _private(self) -> bool:
        """Whether nobody on the way can read what is sent: encrypted, or this machine itself."""
        parts = urlsplit(self.url)
        if parts.scheme == "https" or parts.hostname == "localhost":
            return True
        try:
            return ipaddress.ip_address(parts.hostname or "").is_loopback
        except ValueError:
            return False


def variable(host: str | None) -> str:
    """`SEMCODER_API_KEY_` and the host in capitals, with `_` for all but letters and digits."""
    return "SEMCODER_API_KEY_" + re.sub(r"[^A-Z0-9]", "_", (host or "HOST").upper())


def without_key(text: str, key: str) -> str:
    """`text` with the key cut out, should the server repeat it.

    A key that is a word (`x`, `EMPTY`, as local servers get) is no secret, and may stand in any answer.
    """
    return text if key == NO_KEY or len(key) < LEAST_KEY else text.replace(key, CUT)
