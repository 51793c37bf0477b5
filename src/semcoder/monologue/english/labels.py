"""What line labels mean: where the text is, where it has been, and where it goes.

Guarantees: a label is one that control goes to (`to`) only if words say so: a verb of motion in the main clause, a word
of order, or a block or a line that is said to be entered, run or left out. Words that only place ("arriving at line 6")
never make it one.
"""

from __future__ import annotations

import itertools

from semcoder.monologue.english.lexicon import words_of
from semcoder.monologue.english.tokens import Token


def line_role(tokens: list[Token], at: int) -> str:
    """Of a line label in a sentence: `after`, `before`, `at`, or `to` where the text says that it comes next."""
    left = _left(tokens, at)
    right = [t.text.lower() for t in tokens[at + 1 : at + 6] if t.kind != "punct"]
    moved = any(t.means("move") and not _only_places(tokens, left, k) for k, t in enumerate(left[:5]))
    words = [t.text.lower() for t in left]
    if "next" in words[:3] and words[0] in ("is", "comes", "up", "runs", "executes"):
        return "to"
    if words[:1] and words[0] in ("→", "->", "=>", "⇒", "⟶"):
        return "to"
    if words[:2] == ["by", "followed"] or words[:1] == ["then"] or (words[:1] == ["is"] and "next" in words):
        return "to"
    if _next_after(tokens, at):
        return "to"
    if any(w in words[:4] for w in ("loop", "loops")) and words[:1] == ["to"]:
        return "to"
    for k in range(min(6, len(left))):
        role = _by_word(left, k, moved, right)
        if role != "on":
            return role or _started(right)
    return _started(right)


def _started(right: list[str]) -> str:
    """Of a label of which only what stands after it says anything: "line 5 starts with", "line 5 is about to run"."""
    if right[:1] and right[0] in ("starts", "begins", "started", "began") and "with" in right[:3]:
        return "before"
    if right[:3] == ["is", "about", "to"]:
        return "before"
    return "at"


_LIGHT = words_of("the of this program executing execution running at on in with we it")
_AFTER = words_of("from after once following past finishing completing leaving behind having")
_BEFORE = words_of(
    "before entering until till approaching precedes preceding reaching reaches reached reach hits hitting enters"
)


def _by_word(left: list[Token], k: int, moved: bool, right: list[str]) -> str:
    """The role that the word `k` places to the left gives; "on" where it gives none, empty where no other can."""
    words = [t.text.lower() for t in left]
    lower, beyond = words[k], words[k + 1 : k + 5]
    if lower in _LIGHT:
        if lower == "of" and ({"end", "result"} & set(beyond[:2]) or beyond[:1] == ["as"]):
            return "after"
        if lower == "of" and {"start", "beginning", "top"} & set(beyond[:2]):
            return "before"
        goes = lower in ("at", "with", "on") and moved and any(t.means("move") for t in left[k + 1 : k + 3])
        return "to" if goes else "on"
    if lower in ("to", "into", "onto"):
        if {"prior", "entry", "due", "up", "thanks"} & set(beyond):
            return "at" if {"due", "thanks"} & set(beyond) else "before"
        when = {"when", "time", "as", "until", "before", "by", "once"} & set(words)
        return "to" if moved and not when and "going" not in beyond[:1] else "before"
    if lower in _AFTER:
        return "after"
    if lower in _BEFORE:
        return "before"
    if lower in ("when", "as", "while", "by", "moment", "time", "point", "instant"):
        return _by_verb(right)
    if lower in ("execute", "run", "start", "begin", "process") and beyond[:1] == ["to"]:
        return "before"  # "when it is time to execute line 5"
    if lower in ("starts", "begins", "start", "begin") and right[:1] in (["as"], ["with"]):
        return "before"
    return ""


_PLACES = words_of("on upon when before while now then in by after")


def _only_places(tokens: list[Token], left: list[Token], k: int) -> bool:
    """Whether a verb of motion stands for a time or a place: "arriving at line 6", "on reaching line 6"."""
    verb = left[k]
    if not verb.text.lower().endswith("ing"):
        return False
    earlier = [t.text.lower() for t in left[k + 1 : k + 3]]
    first = not left[k + 1 :] and (left[k] is tokens[0] or tokens[tokens.index(left[k]) - 1].kind == "punct")
    return first or bool(
        {"on", "upon", "when", "before", "while", "now", "then", "in", "by", "after"} & set(earlier[:1])
    )


def _by_verb(right: list[str]) -> str:
    if any(
        w in right[:4]
        for w in (
            "done",
            "finished",
            "finishes",
            "completed",
            "completes",
            "executed",
            "over",
            "complete",
            "ends",
            "ended",
        )
    ):
        return "after"
    if any(w in right[:4] for w in ("reached", "starts", "begins", "entered", "started", "about", "comes", "up")):
        return "before"
    return "after" if "has" in right[:1] or "have" in right[:1] else "at"


def _left(tokens: list[Token], at: int) -> list[Token]:
    """What stands to the left of a label in its part of the sentence, nearest first."""
    out: list[Token] = []
    for token in reversed(tokens[:at]):
        if token.kind in ("line", "value", "name", "code") or (token.kind == "punct" and token.text in ";:—"):
            break
        if token.kind == "punct" and token.text == "," and [t.text.lower() for t in out] not in ([], ["to"]):
            break
        if token.kind == "word":
            out.append(token)
    return out


def _next_after(tokens: list[Token], at: int) -> bool:
    """`line 7 is next`, `line 7 runs next`, `line 7 follows`, `line 7 comes right after line 6`."""
    for k, token in enumerate(tokens[at + 1 : at + 7]):
        if token.kind in ("line", "value", "name", "code"):
            break
        if token.kind == "punct":
            break
        lower = token.text.lower()
        if lower in ("next", "follows", "subsequently"):
            return True
        if lower in ("after", "following") and any(t.kind == "line" for t in tokens[at + k + 2 : at + k + 5]):
            return True
    return False


# -- two labels: the line that decides and the line that it leads to

_DECIDES = words_of(
    "decided decides determined determines settled test tests check checks condition guard comparison decision "
    "predicate question consequence result because thanks owing due outcome following after from body loop while `if` "
    "if statement branching"
)
_BLOCKS = words_of("block body code suite statement statements instruction instructions part section path")
_INTO = words_of(
    "enter enters entered entering into skip skips skipped skipping over past bypass bypasses bypassing reach reaches "
    "reaching execute executes executing run runs running to avoid avoids omit omits ignore ignores i.e namely inside "
    "jump jumps around out omitting ignoring avoiding"
)
_SKIPS = words_of(
    "skip skips skipped skipping bypass bypasses bypassed bypassing omit omits omitted omitting ignore ignores ignored "
    "ignoring avoid avoids avoided avoiding over past around beyond out untouched unexecuted unreached unvisited dead "
    "passed clear away dodges shuns evades spares sidesteps misses missed excludes excluded "
    "keeps prevents stops bars blocks prevented kept barred stopped skips"
)
_NOTS = words_of("not n't never no without cannot neither nowhere")
_RUNS = words_of(
    "executed run runs ran executes reached entered skipped bypassed omitted avoided ignored next visited taken left "
    "passed get gets does is never not evaluated begins starts"
)
_OVER = words_of("finished done over complete completed")
_PLACING = words_of("at on in after before once when by until as while during through past of")
_SENDS = words_of("sends lets keeps takes leads brings directs steers jumps branches prevents stops makes decides")


def leads(tokens: list[Token]) -> dict[int, str]:
    """Of a sentence's labels by `id`: `from` where it decides, `to` where it is said to be entered, run or left out."""
    labels = [k for k, t in enumerate(tokens) if t.kind == "line"]
    if len(labels) < 2 or len({tokens[k].number for k in labels}) > 2:
        return {}
    found = {k: _lead(tokens, k, labels) for k in labels}
    targets = [k for k in labels if found[k] == "to"]
    deciders = [k for k in labels if found[k] == "from"]
    others = [k for k in labels if not found[k]]
    if not targets and len(labels) == 2 and len(others) == 1 and _sends(tokens, deciders[0]):
        targets = others
    remarks = [k for k in others if k and tokens[k - 1].text == "("]
    if len(targets) == 1 and len(labels) == 2 and remarks:
        deciders = remarks  # "... (line 3) ..."
    if len(targets) == 1 and len(labels) == 2 and others and others[0] < targets[0]:
        deciders = deciders or others
    elif (
        len(targets) == 1 and len(labels) == 2 and others and not deciders and _explains(tokens, targets[0], others[0])
    ):
        deciders = others
    elif not targets and len(deciders) == 1 and len(labels) == 2 and is_run(tokens, others[0]):
        targets = others
    if not targets or not deciders:
        return {}
    return {id(tokens[k]): "from" for k in deciders} | {id(tokens[k]): "to" for k in targets}


_REASONS = words_of("because since as given due thanks owing for")


def _explains(tokens: list[Token], target: int, other: int) -> bool:
    """Whether a label stands in the reason for what is said of a block: "... since `x` is 3, which makes ... false"."""
    between = [t.text.lower() for t in tokens[target + 1 : other] if t.kind == "word"]
    return target < other and is_run(tokens, target) and bool(_REASONS & set(between))


def _sends(tokens: list[Token], at: int) -> bool:
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    return following is not None and following.kind == "word" and following.text.lower() in _SENDS


def _lead(tokens: list[Token], at: int, labels: list[int]) -> str:
    left = [t.text.lower() for t in _left(tokens, at)][:6]
    right = [t.text.lower() for t in tokens[at + 1 : at + 5] if t.kind == "word"][:4]
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    if left == ["of"] and at and any(k < at for k in labels):
        return "from"  # "the body (line 3) of line 2"
    if left[:1] == ["of"] and (_BLOCKS & set(left[1:3]) or left[1:2] == ["if"]):
        return "from"
    if right[:1] == ["'s"] and set(right[1:4]) & _DECIDES:
        return "from"
    if right[:1] and right[0] in _SENDS:
        return "from"
    if right[:1] == ["is"] and right[1:2] and right[1] in _OVER:
        return "from"
    for word in left:
        if word in ("at", "on", "in", "the", "of", "line", "by", "that", "starting", "starts", "beginning", "begins"):
            continue
        if word in ("a", "this", "which", "is", "its", "code", "statement"):
            continue
        if word in _BLOCKS and word not in ("statement", "statements"):
            return "to" if word != "body" or left[0] not in ("of",) else "from"
        if word in _DECIDES:
            return "from"
        if word in _INTO:
            return "to"
        break
    if following is not None and following.kind == "punct" and following.text in ":]" and at <= labels[0]:
        return "from"
    if not _PLACING & set(left[:1]) and is_run(tokens, at):
        return "to"
    return ""


def is_run(tokens: list[Token], at: int) -> bool:
    """Whether a label is the subject of "is executed", "runs", "gets left out"."""
    words = [t for t in tokens[at + 1 : at + 6] if t.kind != "punct" or t.text == ","]
    following = []
    for token in words:
        if token.kind != "word":
            break
        following.append(token.text.lower())
    return bool(following) and following[0] in _RUNS and bool(set(following[:4]) & (_RUNS - {"is", "does", "not"}))


_JOINS = words_of("and but so because since as which while therefore thus hence")


def _beside(token: Token) -> bool:
    return (token.kind == "word" and token.text.lower() not in _JOINS) or token.text in ("(", "[")


def left_out(tokens: list[Token], at: int) -> bool:
    """Whether a sentence says of a label that it is not come to."""
    skips = 0
    near = list(itertools.takewhile(_beside, reversed(tokens[:at])))
    left = [t.text.lower() for t in near if t.kind == "word"]
    for word in left[:10]:
        if word in ("to", "into", "inside", "within"):
            break
        if word in _SKIPS and word not in ("passed", "out"):
            skips = 1
            break
    right = []
    rest = tokens[at + 1 :]
    aside = bool(left[:1]) and left[0] in ("i.e", "namely") and bool(rest[:1]) and rest[0].text == ","
    for token in rest[1:] if aside else rest:
        if token.kind in ("line", "name", "value", "code") or (token.kind == "punct" and token.text in ",;:—|"):
            break
        if token.kind == "word":
            right.append(token.text.lower())
    if not skips and _SKIPS & set(right):
        skips = 1
    denials = sum(word in _NOTS for word in [*right, *left])
    return (skips + denials) % 2 == 1


__all__ = ["is_run", "leads", "left_out", "line_role"]
