"""The web page, `semcoder ui`: step through an execution, have it said, debug a call, browse a corpus.

Guarantees: what a user sends runs in the sandbox with limits, and nothing of it is kept when its answer is out;
requests of other pages are refused; every error is one JSON document with a clear line, never a traceback; work is
bounded, and what finds no place in the queue is told so at once.
It knows no users, no passwords and no encryption: it is for one's own machine, or behind something that has them.
See docs/ui.md and docs/design/web.md.
"""

from __future__ import annotations

from semcoder.web.app import create_app
from semcoder.web.serving import serve
from semcoder.web.settings import Settings

__all__ = ["Settings", "create_app", "serve"]
