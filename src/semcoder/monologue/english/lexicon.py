"""The English words that the reader knows, by what they do in a sentence.

A word may stand for several *senses*; which one counts is decided by the grammar from what stands around it. Lemmas are
written here, forms are made from them; irregular forms are written out. A word that is not here means nothing.
"""

from __future__ import annotations

import builtins

_IRREGULAR: dict[str, str] = {
    "be": "is are was were be been being am 's 're",
    "have": "has have had having",
    "hold": "hold holds held holding",
    "become": "become becomes became becoming",
    "get": "get gets got gotten getting",
    "take": "take takes took taken taking",
    "go": "go goes went gone going",
    "give": "give gives gave given giving",
    "send": "send sends sent sending",
    "throw": "throw throws threw thrown throwing",
    "write": "write writes wrote written writing",
    "show": "show shows showed shown showing",
    "leave": "leave leaves left leaving",
    "make": "make makes made making",
    "keep": "keep keeps kept keeping",
    "bind": "bind binds bound binding",
    "put": "put puts putting",
    "set": "set sets setting",
    "run": "run runs ran running",
    "begin": "begin begins began begun beginning",
    "come": "come comes came coming",
    "lead": "lead leads led leading",
    "break": "break breaks broke broken breaking",
    "quit": "quit quits quitting",
    "do": "do does did done doing",
    "fall": "fall falls fell fallen falling",
    "rise": "rise rises rose risen rising",
    "grow": "grow grows grew grown growing",
    "think": "think thinks thought thinking",
    "say": "say says said saying",
    "meet": "meet meets met meeting",
    "see": "see sees saw seen seeing",
    "spin": "spin spins spun spinning",
    "see_through": "through",
    "bring": "bring brings brought bringing",
    "feel": "feel feels felt feeling",
    "skip": "skip skips skipped skipping",
    "stop": "stop stops stopped stopping",
    "drop": "drop drops dropped dropping",
    "read": "read reads reading",
    "find": "find finds found finding",
    "know": "know knows knew known knowing",
    "hit": "hit hits hitting",
    "end": "end ends ended ending",
    "pass": "pass passes passed passing",
    "flip": "flip flips flipped flipping",
    "spit": "spit spits spat spitting",
    "stand": "stand stands stood standing",
    "sit": "sit sits sat sitting",
    "bump": "bump bumps bumped bumping",
    "step": "step steps stepped stepping",
    "fling": "fling flings flung",
    "blow": "blow blows blew blown blowing",
    "wind": "wind winds wound winding",
    "swap": "swap swaps swapped swapping",
    "log": "log logs logged logging",
    "map": "map maps mapped mapping",
    "let": "let lets letting",
    "shut": "shut shuts shutting",
    "yield": "yield yields yielded yielding",
}


def words_of(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def _numbered(text: str, first: int = 0) -> dict[str, int]:
    return {word: first + k for k, word in enumerate(text.split())}


def _forms(lemma: str) -> set[str]:
    if lemma in _IRREGULAR:
        return set(_IRREGULAR[lemma].split())
    stem = lemma[:-1] if lemma.endswith("e") else lemma
    plural = lemma + "es" if lemma.endswith(("s", "x", "ch", "sh", "z", "o")) else lemma + "s"
    past = lemma + "d" if lemma.endswith("e") else lemma + "ed"
    forms = {lemma, plural, past, stem + "ing"}
    if lemma.endswith("y") and lemma[-2] not in "aeiou":
        forms |= {lemma[:-1] + "ies", lemma[:-1] + "ied"}
    return forms


#: Verbs (all their forms) by sense.
_VERBS: dict[str, str] = {
    "be": "be equal remain stay stand sit",
    "have": "have hold contain store carry keep read refer point see find know feature possess",
    "become": "become set assign turn get receive take update change bind rebind put place store leave make initialise "
    "initialize start reset replace switch move shift give grow drop rise fall increase decrease rebind load save fill "
    "go end overwrite create define pick step advance bump push lower raise flip acquire gain increment decrement "
    "shrink build extend reassign transform convert rewrite swap mutate evolve bring modify alter transition reduce "
    "settle adjust record",
    "eval": "evaluate compute calculate yield give produce amount result reduce simplify equal come work turn make "
    "return resolve deliver boil",
    "return": "return deliver answer yield give hand send pass produce get come report end finish receive obtain "
    "compute output evaluate",
    "raise": "raise throw crash fail error abort die propagate blow escape trigger surface hit encounter bubble",
    "catch": "catch handle swallow trap intercept",
    "print": "print display show emit write echo log output dump",
    "iterate": "run execute iterate repeat loop perform go make cycle do complete take spin pass happen occur enter "
    "turn see need visit process traverse finish last count",
    "finish": "end finish stop terminate exhaust complete exit leave quit break conclude halt wind cease close",
    "move": "go move jump continue proceed pass lead send skip transfer fall drop advance resume take come bring head "
    "branch flow return switch hand reach arrive turn step carry direct land route steer push get fly shift "
    "divert redirect descend",
    "execute": "run execute reach begin start perform process visit hit enter evaluate",
    "skip": "skip bypass ignore omit",
    "enter": "enter take execute run follow choose pick select",
    "follow": "follow succeed",
    "succeed": "succeed hold pass",
    "fail": "fail",
    "think": "think expect guess assume believe imagine suppose suspect anticipate presume predict fear hope wonder "
    "conjecture mistake",
    "seem": "seem look appear",
    "ask": "ask check test wonder verify examine inspect see decide determine evaluate compare",
    "call": "call invoke apply pass feed supply provide hand",
    "append": "append add insert push join include",
    "swap": "swap exchange",
    "avoid": "avoid",
}

_WORDS: dict[str, str] = {
    "be": "= == := : => worth equal identical same remains",
    "arrow": "-> → => ⇒ ⟶ ➜ ==> -->",
    "become": "new",
    "loop": "loop loops iteration iterations pass passes round rounds cycle cycles repetition repetitions body "
    "bodies lap laps turn turns trip trips run runs step steps time times",
    "for_loop": "loop loops for while looping iterating",
    "iteration": "iteration iterations iter itr pass passes round rounds cycle cycles repetition repetitions time "
    "times lap laps turn turns trip trips go loop run",
    "condition": "condition test check comparison guard predicate question if while conditional expression assertion "
    "assert elif criterion proposition requirement decision",
    "branch": "branch body block suite path side arm clause if",
    "else": "else otherwise elif",
    "true": "true truthy yes satisfied met fulfilled positive affirmative successful",
    "false": "false falsy untrue unsatisfied unmet violated negative no unfulfilled falsey unsuccessful",
    "wrong": "wrong incorrect false untrue mistaken incorrectly",
    "right": "right correct true actual actually really indeed fact reality truth",
    "result": "result answer return output outcome verdict value returned",
    "final": "final finally end overall eventual eventually ultimately last",
    "output": "output stdout standard screen console terminal printed display",
    "function": "function call method caller program code execution run invocation",
    "exception": "exception error exceptions errors traceback",
    "not": "not never no n't without neither nor cannot nothing none nowhere hardly non",
    "contrast": "instead rather unlike",
    "modal": "might may could would should must can ought shall",
    "if": "if unless suppose supposing assuming assume imagine hypothetically were",
    "doubt": "maybe perhaps probably possibly presumably likely allegedly supposedly apparently wrongly mistakenly "
    "naively tempting tempted naive glance careless hasty",
    "but": "but yet however actually instead rather really though although whereas nevertheless nonetheless",
    "old": "from was were previously formerly originally initially old previous former prior earlier before been had "
    "used original starting till until",
    "new": "to now new into becomes became afterwards afterward then current updated result resulting next after "
    "leaving thereafter currently",
    "args": "with given for on passed argument arguments arg args input inputs parameter parameters receiving taking "
    "supplied using when",
    "after": "after once following past finished finishing completed completing completes finishes executed done "
    "leaves leaving over complete concluded behind having",
    "before": "before prior reaching reaches reached reach entering enters enter entry arriving arrives arrive arrived "
    "into until till starting starts start started begins begin beginning began approaching ahead come comes get gets "
    "getting upto",
    "next": "next then follows followed subsequently subsequent afterwards immediately right straight directly "
    "thereupon follow succeeded",
    "past": "earlier previously recall remember back already",
    "again": "again anew",
    "last": "last final",
    "empty": "empty",
    "more": "more greater larger bigger higher above over exceeds exceeding least minimum",
    "less": "less smaller fewer lower below under most maximum",
    "vague": "about approximately roughly nearly almost around similar like divisible multiple starts begins between "
    "close near odd even prime negative positive sorted",
    "property": "length size type sum maximum minimum index indices len number count elements element item items keys "
    "key values digit digits character characters letter letters half double twice id",
    "pronoun": "it this which that its what they",
    "only": "only just exactly precisely",
}

ARTICLES = frozenset({"a", "an", "the", "its", "this", "that", "every", "each", "their", "our", "any", "some", "no"})

_SENSES: dict[str, set[str]] = {}
for _sense, _lemmas in _VERBS.items():
    for _lemma in _lemmas.split():
        for _form in _forms(_lemma):
            _SENSES.setdefault(_form, set()).add(_sense)
for _sense, _words in _WORDS.items():
    for _word in _words.split():
        _SENSES.setdefault(_word, set()).add(_sense)

NUMBERS = _numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
TENS = {word: 10 * k for word, k in _numbered("twenty thirty forty fifty sixty seventy eighty ninety", 2).items()}
ORDINALS = _numbered(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
ADVERBS = {"once": 1, "twice": 2, "thrice": 3}
#: Nouns with which a number counts how often a loop's body runs.
REPEATS = words_of(
    "time times iteration iterations pass passes round rounds cycle cycles repetition repetitions lap laps turn turns "
    "trip trips loops runs execution executions"
)
#: Nouns that an ordinal makes an iteration of a loop.
ROUNDS = words_of(
    "iteration iter itr pass round cycle repetition time lap turn trip go loop run execution run-through walk traversal"
)
EMPTY = {
    "list": [], "string": "", "str": "", "tuple": (), "dict": {}, "dictionary": {}, "set": set(), "text": "",
    "array": [], "bytes": b"",
}  # fmt: skip
EXCEPTIONS = frozenset(
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
)


def senses(word: str) -> frozenset[str]:
    """What a word can mean; empty for a word that is not known."""
    return frozenset(_SENSES.get(word.lower(), ()))
