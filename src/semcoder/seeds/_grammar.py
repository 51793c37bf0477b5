"""The generator's tables: the grammar, the words and names of its programs, and how often types come up.

Expressions are lines `WEIGHT TEMPLATE` by type; statements and definitions are blocks under headers
`== WEIGHT [flags] [also TYPE=TEXT] [uses TYPE=TEXT; ...]`. The notation of templates:

    <t>       an expression of type t; `+` after t: it may use the names this template binds; `~`: in a loop, it must
              not use what the loop accumulates
    <block>   statements; <loop>: the body of a loop; <tail>: such a body without `continue`; <body_t>: a function's
    $X:t      a new name bound inside the template only; @X:t: a new name that stays; ^X: a new function or class name
    %X:t      an existing variable that is changed; &X:t: one that is read. The second mention leaves out the type.

Types: i int, n small int >= 0, k literal 2 to 9, s str, c short str, b bool, f float, y bytes, li ls lf lists, lli list
of lists, lp list of (str, int), dsi dis dsl dicts, si ss sets, t2 (int, int), tsi (str, int), a anything printable. A
trailing 1 asks for a non-empty one (li1), a trailing q for text without quotes (iq: what may stand in an f-string on
Python 3.11).
"""

from __future__ import annotations

_INT = r"""
8 <i> + <i>
5 <i> - <i>
4 <i> * <k>
1 <i> * <i>
4 <i> % <k>
4 <i> // <k>
2 <i> + <i> * <k>
1 -<i>
1 <n> ** 2
1 <i> & <k>
1 <i> | <k>
1 <i> ^ <k>
1 <n> << 2
1 <i> >> 1
1 ~<n>
1 +<i>
6 len(<s>)
5 len(<li>)
4 len(<ls>)
2 len(<dsi>)
1 len(<ss>)
5 sum(<li>)
3 max(<i>, <i>)
3 min(<i>, <i>)
3 max(<li1>)
3 min(<li1>)
2 abs(<i>)
1 abs(<i> - <i>)
4 <li1>[0]
4 <li1>[-1]
1 &A:li[<i> % len(&A)] if &A else <i>
2 <lli1>[0][-1:].count(<i>)
3 <i> if <b> else <i>
3 <s>.count(<c>)
2 <s>.find(<c>)
1 <s>.rfind(<c>)
2 <li>.count(<i>)
1 ord(<s1>[0])
1 ord(<s1>[-1]) - ord("a")
4 <dsi>.get(<c>, <k>)
2 <dis1>.get(<i>, "").count("a")
2 sum(<i+> for $X:i in <li>)
2 sum(<i+> for $X:i in <li> if <b+>)
2 sum(1 for $X:s in <ls> if <b+>)
1 sum([<i+> for $X:n in range(<n>)])
1 sum(len($X) for $X:s in <ls>)
1 max(<li>, default=<k>)
1 min((<i+> for $X:i in <li>), default=0)
1 sum(<dsi>.values())
1 max(<ls1>, key=len).count("e")
1 len(max(<ls1>, key=lambda $X:s: <i+>))
1 int(<f>)
1 round(<f>)
1 int(<b>)
1 int("<digits>")
1 int("<hex>", 16)
1 divmod(<i>, <k>)[0]
1 <t2>[0]
1 <t2>[1]
1 <tsi>[1]
1 (lambda $X:i: <i+>)(<i>)
1 (lambda $X:i, $Y:i=<k>: <i+>)(<i>)
1 len(<y>)
1 sum(<y>)
1 len(($X:s := <s>)) + len($X)
1 next((<i+> for $X:i in <li> if <b+>), <i>)
1 next(iter(<li>), 0)
1 pow(<n>, <k>, <k>)
1 math.gcd(<i>, <k>)
1 functools.reduce(lambda $X:i, $Y:i: $X + <k> * $Y, <li>, 0)
1 (<n>).bit_length()
1 hash(<n>) % <k>
1 sum(¶    $X:i * <k>¶    for $X in <li>¶    if <b+>¶)
1 max(¶    <i>,¶    <i>,¶    key=lambda $X:i: -$X,¶)
1 len({<k>: <i>, **{<k>: <i>}})
1 sum(map(abs, <li>))
1 [<i>, <i>, <i>][<n> % 3]
1 (<i>, <i>)[<b>]
1 {True: <i>, False: <i>}[<b>]
1 slice(<k>, None).indices(<n>)[0]
"""

_STR = r"""
6 <s> + <s>
4 <s> + <c>
2 <c> * <n>
4 <s>.upper()
4 <s>.lower()
2 <s>.title()
2 <s>.capitalize()
1 <s>.swapcase()
4 <s>.strip()
1 <s>.lstrip(<c>)
1 <s>.rstrip("!")
3 <s>.replace(<c>, <c>)
1 <s>.replace(<c>, <c>, 1)
1 <s>.center(<w>, "*")
1 <s>.ljust(<w>)
1 <s>.rjust(<w>, ".")
2 <s>.zfill(<w>)
1 <s>.removeprefix(<c>)
1 <s>.removesuffix(<c>)
1 <s>.partition(<c>)[0]
1 <s>.rpartition(<c>)[2]
1 <s>.expandtabs(4)
1 <s>.casefold()
1 <s>.translate({ord("a"): "A", ord("e"): None})
1 <s>.translate(str.maketrans("abc", "xyz"))
5 <s>[<n>:]
4 <s>[:<n>]
4 <s>[::-1]
2 <s>[-<k>:]
1 <s>[<n>:-1]
1 <s>[1::2]
4 <s1>[0]
3 <s1>[-1]
5 <c>.join(<ls>)
2 "".join(<s+> for $X:c in <s>)
2 "".join(<c+> for $X:c in <s> if <b+>)
1 "".join([<c+> for $X:c in <s>])
1 <c>.join(map(str, <li>))
1 <c>.join(sorted(<ss>))
1 "".join(reversed(<s>))
1 "".join(sorted(<s>))
4 str(<i>)
1 str(<li>)
1 repr(<s>)
1 chr(97 + <i> % 26)
2 <s> if <b> else <s>
1 <s> or <c>
1 <ls1>[0]
2 <ls1>[-1]
1 &A:ls[<n> % len(&A)] if &A else <c>
1 <dis>.get(<i>, <c>)
1 <tsi>[0]
1 max(<ls1>, key=len)
1 min(<ls1>)
5 f"{<iq>}"
4 f"{<sq>}: {<iq>}"
2 f"{<sq>!r}"
2 f"{<iq>:03d}"
1 f"{<iq>:>5}"
1 f"{<iq>:,}"
1 f"{<sq>:<10}|"
1 f"{<sq>:^{<w>}}"
1 f"{<fq>:.2f}"
1 f"{<iq>:x} {{}} {<sq>}"
1 f"{<iq>=}"
1 f"{<liq>} has {<iq>}"
1 f"<{<sq>}>" f"</{<sq>}>"
2 "%s-%d" % (<s>, <i>)
1 "%05.1f" % <f>
1 "%s" % <i>
1 "%(a)s=%(b)d" % {"a": <s>, "b": <i>}
2 "{}:{}".format(<s>, <i>)
1 "{0}{1}{0}".format(<c>, <i>)
1 "{name!r:>8}".format(name=<c>)
1 "{:>6.2f}".format(<f>)
1 format(<i>, "b")
1 format(<i>, "06,d")
1 hex(<n>)
1 bin(<n>)[2:]
1 type(<i>).__name__
1 <y>.decode("latin-1")
1 <y>.hex()
1 (¶    <s>¶    + <c>¶    + <s>¶)
1 "{} {}".format(¶    <s>,¶    <i>,¶)
1 ascii(<c>)
1 <s>.encode("utf-8").decode()
1 (<s>.splitlines() or [""])[0]
1 (<s>.split(None, 1) or [<c>])[0]
"""

_BOOL = r"""
8 <i> > <i>
6 <i> < <k>
6 <i> == <i>
3 <i> != <i>
3 <i> >= <k>
2 <i> <= <i>
6 <i> % <k> == 0
3 <k> < <i> < 50
1 <i> < <i> <= <i>
3 <s> == <s>
1 <s> < <s>
5 <c> in <s>
2 <c> not in <s>
3 <i> in <li>
2 <c> in <ls>
3 <c> in <dsi>
2 <i> in <si>
1 <i> not in (<k>, <k>, <k>)
4 <b> and <b>
4 <b> or <b>
3 not <b>
2 not <li>
2 bool(<s>)
3 <s>.startswith(<c>)
2 <s>.endswith(<c>)
1 <s>.startswith(("a", <c>))
2 <s>.isdigit()
2 <s>.isalpha()
1 <s>.isupper()
1 <s>.islower()
1 <s>.isspace()
1 <s>.isalnum()
1 <s>.isidentifier()
1 <s>.istitle()
2 any(<b+> for $X:i in <li>)
2 all(<b+> for $X:i in <li>)
1 any(<b+> for $X:s in <ls>)
1 all([<b+> for $X:c in <s>])
1 any(map(str.isupper, <ls>))
1 isinstance(<a>, int)
1 isinstance(<a>, (str, list))
1 <li> == sorted(<li>)
1 <s> == <s>[::-1]
1 len(<li>) > <k>
2 len(<s>) > <k>
1 <f> > <f>
1 <si> <= <si>
1 <ss>.isdisjoint(<ss>)
1 <t2> < <t2>
1 &A:i is not None
1 None is not &A:li
1 callable(len)
1 (<n> and <k> % (<n> + 1)) == 1
1 ($X:i := <i>) > <k> and $X % 2 == 0
1 <b> ^ <b>
1 (¶    <b>¶    and <b>¶)
1 True if <b> else <b>
"""

_FLOAT = r"""
4 <f> + <f>
3 <f> * <k>
2 <f> - <i>
4 <i> / <k>
3 round(<f>, 2)
1 round(<f> / <k>, 1)
2 float(<i>)
1 float("<digits>.5")
2 sum(<lf>)
2 max(<f>, <f>)
2 abs(<f>)
1 <f> if <b> else <f>
1 sum(&A:li1) / len(&A)
1 math.sqrt(abs(<i>))
1 math.floor(<f>) + 0.5
1 <f> // 1
1 <f> % <k>
1 sum(<li>) / max(1, len(<li>))
1 float(min(<f>, 1e3))
1 -<f>
"""

_LIST = {
    "li": r"""
5 [<i>, <i>, <i>]
2 [<i>]
4 [<i+> for $X:i in <li>]
4 [<i+> for $X:i in <li> if <b+>]
3 [<i+> for $X:n in range(<n>)]
1 [<i+> for $X:s in <ls>]
1 [<i+> for $X:i in <li> for $Y:n in range(<k>)]
1 [<i+> for $X:li in <lli> for $Y:i in $X]
1 [<i+> for ($X:s, $Y:i) in <lp>]
1 [<i+> if <b+> else <i+> for $X:i in <li>]
4 sorted(<li>)
1 sorted(<li>, reverse=True)
2 sorted(<li>, key=lambda $X:i: <i+>)
1 sorted(<li>, key=abs, reverse=<b>)
1 sorted(<si>)
3 <li>[::-1]
3 <li>[1:]
2 <li>[:<n>]
1 <li>[-<k>:]
1 <li>[::2]
3 <li> + <li>
2 <li> + [<i>]
1 [<i>] * <n>
3 list(range(<n>))
2 list(range(<k>, <k> + <n>, 2))
1 list(range(<n>, 0, -1))
1 list(<li>)
1 list(reversed(<li>))
2 list(map(lambda $X:i: <i+>, <li>))
2 list(filter(lambda $X:i: <b+>, <li>))
1 list(map(len, <ls>))
1 list(map(max, <li>, <li>))
1 [*<li>, <i>]
1 [*<li>, *<li>]
1 [$X:i for $X, $Y:i in zip(<li>, <li>) if <b+>]
1 [$X:n * <i+> for $X, $Y:i in enumerate(<li>, start=1)]
1 [$X:i + $Y:i for ($X, $Y) in zip(<li>, <li>[1:])]
1 list(<dsi>.values())
1 list(<dis>)
1 <dsl>.get(<c>, [])
1 list(itertools.accumulate(<li>))
1 list(itertools.chain(<li>, <li>))
1 list(itertools.islice(itertools.count(<k>), <n>))
1 <li> if <b> else <li>
1 <li> or [<i>]
1 list(<y>)
1 [int($X) for $X:c in str(<n>)]
1 [¶    <i>,¶    <i>,¶    <i>,¶]
1 [$Y for $X:i in <li> if ($Y := <i+>) > <k>]
1 list(divmod(<i>, <k>))
1 [$X:i for $X in <li> if $X > 0 if $X % 2]
""",
    "ls": r"""
5 <s>.split()
3 <s>.split(<c>)
1 <s>.rsplit(<c>, 1)
1 <s>.splitlines()
4 [<s>, <s>]
4 [<s+> for $X:s in <ls>]
4 [<s+> for $X:s in <ls> if <b+>]
1 [<s+> for $X:i in <li>]
2 [$X:s.strip() for $X in <s>.split(",")]
2 sorted(<ls>)
1 sorted(<ls>, key=len)
1 sorted(<ls>, key=lambda $X:s: (len($X), $X))
1 sorted(<ss>)
2 list(<s>)
2 sorted(<dsi>)
1 list(<dsi>)
1 list(<dsi>.keys())
2 list(map(str, <li>))
1 list(map(str.upper, <ls>))
1 list(filter(None, <ls>))
1 <ls> + [<s>]
2 <ls>[::-1]
1 <ls>[1:]
1 [<s>] * <k>
1 [f"{$X:n}:{$Y:s}" for $X, $Y in enumerate(<ls>)]
1 [$X:s for $X, $Y:i in <lp> if <b+>]
1 [<c+> + <c> for $X:c in <s> for $Y:c in <c>]
1 list(dict.fromkeys(<ls>))
1 [*<s>]
1 [*map(str, <li>)]
""",
    "lf": r"""
3 [<f>, <f>]
2 [<i+> / 2 for $X:i in <li>]
1 [float($X:i) for $X in <li>]
1 sorted(<lf>)
1 [round($X:f, 1) for $X in <lf>]
""",
    "lli": r"""
4 [<li>[:], [<i>, <i>]]
3 [[<i>, <i>], [<i>, <i>]]
2 [[<i+> for $Y:n in range(<k>)] for $X:n in range(<k>)]
1 [[0] * <k> for $X:n in range(<k>)]
1 [$X:li[::-1] for $X in <lli>]
1 [list($X:t2) for $X in zip(<li>, <li>)]
1 [[<i+>, $X:i] for $X in <li>]
1 list(map(list, zip([<i>, <i>], [<i>, <i>])))
""",
    "lp": r"""
3 list(<dsi>.items())
3 sorted(<dsi>.items())
2 sorted(<dsi>.items(), key=lambda $X:tsi: $X[1])
1 sorted(<lp>, key=lambda $X:tsi: (-$X[1], $X[0]))
3 list(zip(<ls>, <li>))
2 [($X:s, len($X)) for $X in <ls>]
2 [(<s>, <i>), (<s>, <i>)]
1 [(<s+>, <i+>) for $X:s, $Y:i in <lp>]
1 [($Y:s, $X:n) for $X, $Y in enumerate(<ls>)]
1 Counter(<s>).most_common(<k>)
""",
    "dsi": r"""
4 {<c>: <i>, <c>: <i>}
3 {$X:s: <i+> for $X in <ls>}
2 {$X:s: <i+> for $X, $Y:i in <lp>}
2 {$X:s: $Y:i for $X, $Y in <dsi>.items() if <b+>}
2 {$Y:s: $X:n for $X, $Y in enumerate(<ls>)}
2 dict(zip(<ls>, <li>))
1 dict(<lp>)
1 dict(a=<i>, b=<i>)
1 {**<dsi>, <c>: <i>}
1 <dsi> | {<c>: <i>}
1 dict.fromkeys(<ls>, <k>)
1 dict(<dsi>)
1 <dsi>.copy()
1 {$X:c: <s>.count($X) for $X in sorted(set(<s>))}
1 dict(Counter(<s>))
1 dict(sorted(<dsi>.items()))
1 {¶    <c>: <i>,¶    <c>: <i>,¶}
""",
    "dis": r"""
3 {<i>: <s>, <k>: <c>}
2 {$X:n: $Y:s for $X, $Y in enumerate(<ls>)}
1 {len($X:s): $X for $X in <ls>}
1 {$Y:i: $X:s for $X, $Y in <lp>}
1 dict(enumerate(<ls>, 1))
""",
    "dsl": r"""
3 {<c>: <li>[:], <c>: []}
2 {$X:s: [<i+>, <i+>] for $X in <ls>}
1 {$X:s: [$Y:n for $Y in range(<k>)] for $X in <ls>}
1 {$X:s: [] for $X in <ls>}
""",
    "si": r"""
4 set(<li>)
3 {<i>, <i>, <k>}
2 {<i+> for $X:i in <li>}
2 {<i+> for $X:i in <li> if <b+>}
1 <si> | <si>
1 <si> & <si>
1 <si> - {<i>}
1 <si> ^ {<i>, <i>}
1 <si>.union(<li>)
1 set(range(<n>))
1 set()
1 frozenset(<li>) | <si>
""",
    "ss": r"""
4 set(<ls>)
4 set(<s>)
2 {<c>, <c>}
2 {<s+> for $X:s in <ls>}
1 <ss> - set(<c>)
1 <ss> & <ss>
1 set(<dsi>)
1 {$X:c for $X in <s> if <b+>}
""",
    "t2": r"""
5 (<i>, <i>)
2 divmod(<i>, <k>)
1 (<i>,) + (<i>,)
1 tuple(sorted([<i>, <i>]))
1 <t2>[::-1]
1 (min(<li1>), max(<li1>))
""",
    "tsi": r"""
5 (<s>, <i>)
1 min([(<s>, <i>), (<s>, <i>)])
1 max([(<s>, <i>), (<c>, <k>)], key=lambda $X:tsi: $X[1])
""",
    "y": r"""
2 <s>.encode()
1 <c>.encode("utf-8")
1 bytes([<n>, <n>, 255])
1 <y> + <y>
1 <y>[:<n>]
1 bytes(range(<n>))
1 bytes(reversed(<y>))
1 <y>.upper()
""",
}

# What may stand inside an f-string's braces on Python 3.11: no quote, backslash or line break.
_SPECIAL = {
    "iq": r"""
6 &A:i
2 &A:i + <k>
1 &A:i * <k>
2 len(&A:s)
2 len(&A:li)
1 sum(&A:li)
1 &A:i % <k>
1 max(&A:li1)
""",
    "sq": r"""
6 &A:s
1 &A:s.upper()
1 &A:s[:<k>]
1 &A:s[::-1]
1 &A:ls1[0]
1 str(&A:i)
1 &A:s.strip().title()
""",
    "fq": "2 &A:f\n2 &A:i / <k>\n1 &A:f * 2",
    "liq": "3 &A:li\n1 &A:li[:<k>]\n1 sorted(&A:li)\n1 &A:t2",
    "n": r"""
3 <i> % <k>
2 len(&A:s) % <k>
2 min(len(&A:li), <k>)
1 min(abs(<i>), <k>)
1 len(&A:ls)
1 len(&A:t2)
""",
    "c": r"""
2 &A:s1[0]
2 &A:s1[-1]
2 &A:s[:<k>]
1 str(<i> % <k>)
1 chr(97 + <n>)
""",
}

#: Expressions by type.
EXPRESSIONS = {"i": _INT, "s": _STR, "b": _BOOL, "f": _FLOAT, **_LIST, **_SPECIAL}

# Ways from what is in scope to a type of which there is no variable: so that programs use their inputs.
BRIDGES = {
    "i": r"""
3 len(&A:s)
3 len(&A:li)
3 len(&A:ls)
2 sum(&A:li)
2 len(&A:dsi)
1 &A:t2[0]
1 round(&A:f)
2 &A:li1[-1]
1 len(&A:lli)
1 sum(&A:si)
1 len(&A:lp)
1 int(&A:b)
1 len(&A:dis)
1 &A:tsi[1]
2 len(&A:si)
1 max(&A:t2)
1 sum(len($X) for $X in &A:lli)
1 sum($X for _, $X in &A:lp)
""",
    "n": r"""
2 len(&A:s)
2 len(&A:li) % 10
2 len(&A:ls)
2 abs(&A:i) % 7
1 len(&A:dsi)
""",
    "s": r"""
3 str(&A:i)
3 &A:ls1[0]
3 &A:ls1[-1]
2 ' '.join(&A:ls)
1 str(&A:li)
1 ''.join(&A:dsi)
1 &A:tsi[0]
1 repr(&A:b)
1 str(&A:f)
1 str(sorted(&A:si))
1 str(&A:t2)
1 "".join($X for $X, _ in &A:lp)
1 " ".join(&A:dis.values())
1 str(&A:lli)
1 "-".join(sorted(&A:dsi))
""",
    "c": r"""
2 &A:s[:1]
2 &A:s[-1:]
1 str(&A:i % 10)
""",
    "b": r"""
2 &A:i > 3
2 bool(&A:s)
2 bool(&A:li)
1 len(&A:ls) > 2
1 &A:f > 1
1 &A:t2[0] < &A[1]
1 3 in &A:si
1 len(&A:lp) > 1
1 bool(&A:lli)
1 not &A:dsi
""",
    "f": r"""
2 &A:i / 2
1 float(len(&A:s))
1 sum(&A:li) / 4
""",
    "li": r"""
3 [ord($X) for $X in &A:s]
3 [len($X) for $X in &A:ls]
2 list(range(&A:n))
2 list(&A:dsi.values())
2 sorted(&A:si)
2 [$X for $Y in &A:lli for $X in $Y]
1 list(&A:t2)
1 [&A:i, <i>, &A]
1 [$X for _, $X in &A:lp]
1 list(&A:dis)
""",
    "ls": r"""
3 &A:s.split()
3 list(&A:s)
2 [str($X) for $X in &A:li]
2 list(&A:dsi)
1 [$X for $X, _ in &A:lp]
1 list(&A:dis.values())
""",
    "dsi": r"""
2 {$X: len($X) for $X in &A:ls}
2 {$X: &A:s.count($X) for $X in &A}
1 {str($X): $X for $X in &A:li}
1 dict(&A:lp)
""",
    "dis": r"""
1 dict(enumerate(&A:ls))
1 {$X: str($X) for $X in &A:li}
""",
    "lp": r"""
2 list(&A:dsi.items())
1 [($X, len($X)) for $X in &A:ls]
""",
    "si": r"""
2 set(&A:li)
1 {len($X) for $X in &A:ls}
""",
    "ss": r"""
2 set(&A:s)
1 set(&A:ls)
1 set(&A:dsi)
""",
    "lli": r"""
1 [&A:li[:], [<i>]]
1 [[$X, $X * 2] for $X in &A:li]
1 [[$X, $Y] for $X, $Y in enumerate(&A:li)]
""",
    "t2": r"""
1 (len(&A:s), <i>)
1 (&A:i, <i>)
1 divmod(&A:i, <k>)
""",
    "tsi": r"""
1 (&A:s, <i>)
1 (<s>, &A:i)
""",
}

# Chosen only in programs (or try bodies) that are meant to raise now and then.
RISKY = {
    "i": r"""
3 <i> // <i>
2 <i> % <i>
2 <li>[<n>]
1 <li>[-<k>]
3 int(<s>)
3 <dsi>[<c>]
2 <li>.index(<i>)
2 <s>.index(<c>)
1 max(<li>)
1 next(iter(<li>))
1 ord(<s>)
1 <lli>[<n>][<n>]
1 <i> + <c>
1 {<k>: <i>}[<n>]
1 <s>.missing
""",
    "s": r"""
3 <s>[<n>]
3 <ls>[<n>]
2 <dis>[<i>]
1 <s> + <i>
1 min(<ls>)
1 "%d" % <s>
1 <s>.split(<c>)[1]
1 chr(<i> - <k>)
""",
    "f": "2 <i> / <i>\n1 float(<s>)\n1 sum(<li>) / len(<li>)\n1 math.sqrt(<i>)",
    "li": "3 [int($X:s) for $X in <ls>]\n4 [<k> // $X:i for $X in <li>]\n1 list(<i>)\n3 <dsl>[<c>]\n3 <lli>[<n>]",
    "b": "1 <i> < <s>\n6 <dsi>[<c>] > <k>\n5 <li>[<n>] > <k>\n3 <s>[<n>] == <c>",
}

SIMPLE = r'''
== 10
@X:i = <i~>
== 8
@X:s = <s~>
== 6
@X:li = <li~>
== 5
@X:ls = <ls~>
== 4
@X:b = <b~>
== 3
@X:f = <f~>
== 3
@X:dsi = <dsi~>
== 2
@X:si = <si~>
== 1
@X:ss = <ss~>
== 1
@X:dis = <dis~>
== 1
@X:dsl = <dsl~>
== 1
@X:lp = <lp~>
== 2
@X:lli = <lli~>
== 1
@X:t2 = <t2~>
== 1
@X:tsi = <tsi~>
== 1
@X:y = <y~>
== 1
@X:lf = <lf~>
== 1
@X:i: int = <i~>
== 1
@X:li: list[int] = []
== 3 flat
%A:i = <i>
== 4 flat
%A:s = <s>
== 3 flat
%A:li = <li>
== 1 flat
%A:ls = <ls>
== 2 in
%A:i = (%A * <k> + <i~>) % 97
== 1 in
%A:s = (%A + <c~>)[-20:]
== 7
%A:i += <i~>
== 3
%A:i -= <k>
== 2 flat
%A:i *= <k>
== 1 flat
%A:i //= <k>
== 1
%A:i %= 1000
== 1
%A:i ^= <k>
== 1
%A:i |= <n~>
== 1
%A:i &= 255
== 1 flat
%A:i <<= 1
== 1 flat
%A:i >>= 1
== 1
%A:i **= 1
== 1 flat
%A:f /= <k>
== 5
%A:s += <c~>
== 1 flat
%A:s *= 2
== 1
%A:f += <f~>
== 2
@X:i, @Y:i = <i~>, <i~>
== 2
%A:i, %B:i = %B % 1000, %A % 1000
== 1
@X:i, @Y:i = divmod(<i~>, <k>)
== 1
@X:i, @Y:i = <t2~>
== 1
@X:s, @Y:i = <tsi~>
== 1
@X:i, *@Y:li = <li1~>
== 1
*@X:li, @Y:i = <li1~>
== 1
@X:i, *@Y:li, @Z:i = [<i~>, *<li~>, <i~>]
== 1
(@X:i, @Y:i), @Z:s = <t2~>, <s~>
== 1
[@X:s, @Y:s] = <c~>, <s~>
== 1
@X:s, _, @Y:s = <s~>.partition(<c>)
== 2
@X:i = @Y:i = <i~>
== 2
@X:i = <i~>; @Y:i = <i~>
== 1
%A:i += 1; %B:i -= 1
== 6
%A:li.append(<i~>)
== 5
%A:ls.append(<s~>)
== 1
%A:li.extend(<li~>)
== 1
%A:li.insert(0, <i~>)
== 1
%A:li += [<i~>]
== 1
%A:li[len(%A):] = [<i~>, <i~>]
== 2 flat
%A:li.sort()
== 1 flat
%A:ls.sort(key=len, reverse=True)
== 1 flat
%A:li.reverse()
== 1 flat
%A:li[1:2] = <li>
== 1 flat
del %A:li[:1]
== 1 flat
del %A:li[<k>:]
== 1 flat
%A:li.clear()
== 2 flat
if %A:li: %A.pop()
== 1 flat
if %A:li: @X:i = %A.pop(0)
else: @X = <i>
== 2
if %A:li: %A[0] = <i~>
== 1
if %A:li: %A[-1] += <k>
== 1
if %A:li and len(%A) > 1: %A[0], %A[-1] = %A[-1], %A[0]
== 4
%A:dsi[<c~>] = <i~>
== 3
%A:dsi[<c~>] = %A.get(<c~>, 0) + <k>
== 1
%A:dis[<i~>] = <s~>
== 1
%A:dsi.update({<c~>: <i~>})
== 1
%A:dsi.update(a=<i~>)
== 1
%A:dsi.setdefault(<c~>, <k>)
== 2
%A:dsl.setdefault(<c~>, []).append(<i~>)
== 1
%A:dsi |= {<c~>: <k>}
== 1 flat
@X:i = %A:dsi.pop(<c>, <k>)
== 1 flat
if <c> in %A:dsi: del %A["a" if "a" in %A else min(%A)]
== 1 flat
@X:tsi = %A:dsi.popitem() if %A else (<c>, <k>)
== 2
%A:si.add(<i~>)
== 1
%A:ss.add(<s~>)
== 1
%A:si.discard(<i~>)
== 1
%A:si |= {<i~>}
== 1
%A:lli.append([<i~>, <i~>])
== 1
if %A:lli and %A[0]: %A[0][-1] = <k>
== 1
if %A:lli and %A[-1]: %A[-1][0] += <i~>
== 1
%A:lp.append((<s~>, <i~>))
== 3
print(<a>)
== 1
print(<s>, <i>, sep="-")
== 1
print(f"{<sq>}", end="\n")
== 1
print(*<li>)
== 1
assert isinstance(<i>, int)
== 1
assert <n> >= 0, "negative"
== 1 flat
@X:i = <i>
del @X
@X = <k>
== 1 flat
@X:s = """<doc>
  second line
"""
== 1
@X:s = "it's" 'a "quote"' "\t\\" r"\d+"
== 1
@X:s = ("one "
     "two " + <s~>)
== 2
if <b>: %A:i = <k>
== 1
if <b>: %A:i += 1; %B:i -= 1
== 1 in
if <b>: %A:i += <k>
else: %A -= 1
== 2
@X:i = <i~> if <b> else <i~>
== 1
$F = lambda $X:i, $Y:i=<k>: <i+~>
@Z:i = $F(<i~>) + $F(<i~>, $Y=<k>)
== 1
@X:i = max(*<li~>, <i~>, <k>)
== 1
@X:i = max(
    <i~>,
    <i~>,
    <k>,
)
== 1
@X:i = <i~> + \
    <i~>
== 1
@X:li = [
    $Y:i
    for $Y in <li~>
    if <b+>
]
== 4 in break
if <b>: break
== 3 in continue
if <b>: continue
== 1 in break
if <b>:
    %A:i += <k>
    break
== 1
pass
== 1 flat
@X:li = list(<li>); @X.extend([<i>] * <k>)
== 1 flat
$D = deque(<li>, maxlen=<k>); $D.appendleft(<i>)
@X:li = list($D)
== 1 flat
$D = defaultdict(list)
for $X:s in <ls~>: $D[len($X)].append($X)
@Y:i = len($D)
== 1 flat
$T = iter(<li>)
@X:i = next($T, <k>)
@Y:li = [*$T]
== 1 flat
@X:i = Counter(<s>)[<c>]
== 1
@X:s = "é→ü" + <s~> + "\u00df\n"
'''

COMPOUND = r"""
== 12
if <b>:
    <block>
== 8
if <b>:
    <block>
else:
    <block>
== 4
if <b>:
    <block>
elif <b>:
    <block>
else:
    <block>
== 3
if <b>:
    @X:i = <i~>
else:
    @X = <i~>
== 2
if <b>:
    @X:s = <s~>
elif <b>:
    @X = <s~>
else:
    @X = <c>
== 3 guard
if <b>:
    return <ret>
== 2 guard
if not <li>:
    return <ret>
== 1
if ($X:i := <i~>) > <k>:
    <block+>
== 7
for $X:i in <li~>:
    <loop+>
== 6
for $X:n in range(<n~>):
    <loop+>
== 4
for $X:s in <ls~>:
    <loop+>
== 4
for $X:c in <s~>:
    <loop+>
== 4 also i=&A[$I]
for $I:n in range(len(&A:li)):
    <loop+>
== 1 also s=&A[$I]
for $I:n in range(len(&A:s)):
    <loop+>
== 4
for $I:n, $X:i in enumerate(<li~>):
    <loop+>
== 2
for $I:n, $X:s in enumerate(<ls~>, start=1):
    <loop+>
== 3
for $X:s, $Y:i in <dsi~>.items():
    <loop+>
== 1 also i=&A[$K]
for $K:s in &A:dsi:
    <loop+>
== 1
for $X:s, $Y:i in <lp~>:
    <loop+>
== 2
for $X:i, $Y:i in zip(<li~>, <li~>):
    <loop+>
== 1
for $X:li in <lli~>:
    <loop+>
== 1
for $X:s in sorted(<ss~>):
    <loop+>
== 1
for $X:i in sorted(<si~>):
    <loop+>
== 1
for $X:i in reversed(<li~>):
    <loop+>
== 1
for $I:n, ($X:s, $Y:i) in enumerate(<lp~>):
    <loop+>
== 1
for $X:i, *$Y:li in <lli1~>:
    <loop+>
== 1
for $X:i in (<i~>, <i~>, <k>):
    <loop+>
== 2
for $X:i in <li~>:
    if <b+>:
        break
    <loop+>
else:
    <block>
== 2
for $X:i in <li~>:
    if <b+>:
        continue
    <loop+>
== 2
for $I:n in range(<k>):
    for $J:n in range(<k>):
        <loop+>
== 1
for $I:n in range(<k>):
    for $J:n in range($I, <k>):
        if $I == $J: continue
        <loop+>
== 4
@X:i = 0
for $Y:i in <li~>:
    if <b+>:
        @X += <i+~>
== 3
@X:li = []
for $Y:i in <li~>:
    if <b+>:
        @X.append(<i+~>)
== 3
@X:s = ""
for $Y:c in <s~>:
    if <b+>:
        @X += <c+~>
    else:
        @X += $Y
== 3
@X:dsi = {}
for $Y:c in <s~>:
    @X[$Y] = @X.get($Y, 0) + 1
== 1
@X:dsi = {}
for $Y:s in <ls~>:
    @X.setdefault($Y, 0)
    @X[$Y] += <i+~>
== 1
@X:dsl = {}
for $Y:i in <li~>:
    if <c> not in @X:
        @X[<c>] = []
    @X.setdefault(str(<i+~>), []).append($Y)
== 2
@X:i = <i~>
for $Y:i in <li~>:
    if $Y > @X:
        @X = $Y
== 3 also i=$W
$W = <n~>
while $W > 0:
    $W -= 1
    <loop+>
== 2 also i=$W
$W = <k>
while $W:
    <tail+>
    $W -= 1
== 1 also i=$W
$W = <n~>
while $W > 0:
    $W -= 1
    if <b+>:
        break
    <loop+>
else:
    <block>
== 2 also i=$W
$W = 0
while True:
    $W += 1
    if $W > <k> or <b+>:
        break
    <loop+>
== 2
$L, $H = 0, len(<li~>)
while $L < $H:
    $M:n = ($L + $H) // 2
    if <b+>:
        $L = $M + 1
    else:
        $H = $M
@X:i = $L
== 2
$Q:li = list(<li~>)
while $Q:
    $X:i = $Q.pop()
    <loop+>
== 1
$N = abs(<i~>) % 1000; @X:i = 0
while $N:
    $N, $D = divmod($N, 10)
    @X += $D
== 1 also i=$W
$W = <k>
while ($W := $W - 1) > 0:
    <loop+>
== 3 risky
try:
    @X:i = <i~>
except (ValueError, KeyError, IndexError, ZeroDivisionError, TypeError, AttributeError, StopIteration):
    @X = <k>
== 2 risky
try:
    @X:s = <s~>
except Exception as $E:
    @X = type($E).__name__
== 1 risky
try:
    @X:i = <i~>
except ValueError:
    @X = -1
except (KeyError, IndexError) as $E:
    @X = len($E.args)
except Exception:
    @X = <k>
else:
    @X += 1
finally:
    <block>
== 1 risky
try:
    $X:f = <f~>
    <block+>
except ArithmeticError:
    <block>
except Exception:
    pass
== 1
try:
    <block>
finally:
    <block>
== 1
try:
    if <b>:
        raise ValueError(<s>)
    <block>
except ValueError as $E:
    @X:s = str($E)
else:
    @X = <s~>
== 1
try:
    try:
        raise KeyError(<c>)
    except KeyError as $E:
        raise RuntimeError("wrapped") from $E
except RuntimeError as $E:
    @X:s = f"{$E}/{type($E.__cause__).__name__}"
== 1
try:
    assert <b>, <c>
    @X:i = <i~>
except AssertionError:
    @X = <k>
== 1
try:
    raise ExceptionGroup("many", [ValueError(<c>), TypeError("t")])
except* ValueError as $E:
    @X:i = len($E.exceptions)
except* TypeError:
    pass
== 1 raising
if <b>:
    raise ValueError(<s>)
== 1 raising
if <b>:
    raise KeyError(<c>) from None
== 1 raising
assert <b>, f"bad {<iq>}"
== 1 risky
with contextlib.suppress(ValueError, LookupError, ArithmeticError, TypeError, AttributeError):
    $X:i = <i~>
    <block+>
== 2
match <i>:
    case 0:
        <block>
    case 1 | 2 | -1:
        <block>
    case $X:i if <b+>:
        <block+>
    case _:
        <block>
== 2
match <li>:
    case []:
        @X:i = 0
    case [@X]:
        pass
    case [@X, _]:
        pass
    case [$Y:i, *$Z:li]:
        @X = <i+~>
== 1
match <s>:
    case "" | "a":
        <block>
    case str() as $X if len($X) > <k>:
        <block>
    case $Y:s:
        <block+>
== 1
match <dsi>:
    case {"a": $X:i, **$R:dsi}:
        <block+>
    case {}:
        <block>
== 1
match <a>:
    case int() | float():
        @X:s = "number"
    case str():
        @X = "text"
    case [] | ():
        @X = "empty"
    case (_, _):
        @X = "pair"
    case None | True:
        @X = "constant"
    case _:
        @X = "other"
== 1
match <t2>:
    case (0, $X) | ($X, 0) if $X:
        <block>
    case ($X:i, $Y:i) if $X > $Y:
        <block+>
    case _:
        pass
== 2 flat
def ^F($X:i):
    <body_i+>
@Y:i = ^F(<i>) + ^F(<k>)
== 1 flat
def ^F($X:s, $Y:n=<k>, *, $Z:c="-"):
    return <s+>
@R:s = ^F(<s>, $Z=<c>)
== 1 flat
$C = 0
def ^F($X:i=1):
    nonlocal $C
    $C += $X
    return $C
^F(); ^F(<i>)
@Y:i = ^F()
== 1 flat
def ^F($X:i):
    return lambda $Y:i: <i+>
@Z:i = ^F(<k>)(<i>)
== 1 flat
def ^F(*args, **kwargs):
    return len(args) * 10 + len(kwargs)
@X:i = ^F(<i>, *<li>, key=<s>, **<kw>)
== 1 flat
@X:li = [$F(<k>) for $F in [lambda $Y:i, $J=$J:n: $Y + $J for $J in range(<k>)]]
== 1 flat
def ^F(depth):
    if depth <= 0:
        return [<k>]
    return [<i>] + ^F(depth - 1)
@X:li = ^F(<n>)
"""

# Module-level definitions; after `uses`, what they let an expression say: type = call.
DEFS = r'''
== 8 uses i=^F(<i>); i=^F(<i>) + <k>
def ^F($X:i):
    <body_i+>
== 5 uses i=^F(<i>, <k>); i=^F(<i>, $Y=<i>); i=^F(<i>)
def ^F($X:i, $Y:i=<k>):
    <body_i+>
== 5 uses s=^F(<s>)
def ^F($X:s):
    <body_s+>
== 4 uses b=^F(<i>)
def ^F($X:i):
    """<doc>"""
    return <b+>
== 2 uses b=^F(<s>); li=[int(^F($X:s)) for $X in <ls>]
def ^F($X:s) -> bool:
    <body_b+>
== 4 uses li=^F(<li>)
def ^F($X:li):
    <body_li+>
== 2 uses i=^F(<li>, <i>)
def ^F($X:li, $Y:i):
    # <doc>
    <body_i+>
== 2 uses i=^F(<i>, <i>, <i>); i=^F(*<li>); i=^F()
def ^F(*$X:li):
    <body_i+>
== 1 uses s=^F(a=<i>, b=<k>); s=^F(**<kw>); s=^F()
def ^F(**$X:dsi):
    return ",".join(f"{k}={v}" for k, v in sorted($X.items()))
== 1 uses s=^F(<s>, <i>); s=^F(<s>, 2, sep=<c>)
def ^F($X:s, $Y:n, /, *, sep="-"):
    return sep.join([$X] * ($Y % <k>))
== 2 uses i=^F(<n>)
def ^F(n):
    if n <= 1:
        return <k>
    return n + ^F(n - 1)
== 1 uses i=^F(<n> % 8)
def ^F(n):
    return n if n < 2 else ^F(n - 1) + ^F(n - 2)
== 2 uses i=^F(<li>)
def ^F($X:li):
    if not $X:
        return 0
    return $X[0] - ^F($X[1:])
== 1 uses s=^F(<s>)
def ^F($X:s):
    return $X if len($X) < 2 else ^F($X[1:]) + $X[0]
== 1 uses i=^F(<lli>); i=^F([<i>, [<i>, [<k>]]])
def ^F($X:lli):
    if isinstance($X, int):
        return 1
    return sum(^F(part) for part in $X)
== 1 uses i=^F(abs(<i>) + 1, <k>)
def ^F(a, b):
    while b:
        a, b = b, a % b
    return a
== 3 uses li=list(^F(<n>)); i=sum(^F(<n>)); i=next(^F(<n>), <k>)
def ^F($X:n):
    for $I:n in range($X):
        yield <i+>
== 2 uses li=list(^F(<li>)); i=max(^F(<li>), default=0)
def ^F($X:li):
    for $Y:i in $X:
        if <b+>:
            yield <i+>
== 1 uses li=list(^F(<li>, <li>)); li=[*^F(<li>, [<k>])]
def ^F($X:li, $Y:li):
    yield from $X
    yield <k>
    yield from reversed($Y)
== 1 uses li=^F(<li>)
def ^G():
    total = 0
    while True:
        got = yield total
        if got is None:
            return
        total += got
def ^F($X:li):
    gen = ^G()
    next(gen)
    out = [gen.send(x) for x in $X]
    gen.close()
    return out
== 1 uses i=^F(<k>)(<i>)
def ^F($X:i):
    def inner($Y:i):
        return <i+>
    return inner
== 1 uses i=^F(<k>); li=[^F($X:n) for $X in range(<k>)]
def ^G():
    count = <k>
    def step(by):
        nonlocal count
        count += by
        return count
    return step
^F = ^G()
== 2 uses i=^F(<i>)
def ^D(func):
    def wrapper(*args, **kwargs):
        return func(*args, **kwargs) + <k>
    return wrapper
@^D
def ^F($X:i):
    return <i+>
== 1 uses s=^F(<s>)
def ^D(times):
    def decorate(func):
        @functools.wraps(func)
        def wrapper(text):
            for _ in range(times):
                text = func(text)
            return text
        return wrapper
    return decorate
@^D(<k> % 3)
def ^F($X:s):
    return $X[1:] + $X[:1]
== 1 uses i=^F(<n> % 20)
@functools.lru_cache(maxsize=None)
def ^F(n):
    return 1 if n < 2 else ^F(n - 1) + ^F(n - 2)
== 2 uses i=^F(<i>)
^V = 0
def ^F($X:i):
    global ^V
    ^V += 1
    return <i+> + ^V
== 2 uses i=<k> + ^V; b=<i> > ^V
^V = <k>
== 1 uses i=^V.get(<c>, 0); b=<c> in ^V
^V = {"a": <k>, "b": <k>, "é": <k>}
== 3 uses i=^C(<i>).total; i=^C(<i>).add(<i>).total;
   i=len(^C(<n>)); s=repr(^C(<k>)); i=(^C(<i>) + ^C(<k>)).total
class ^C:
    """<doc>"""
    def __init__(self, start=0):
        self.total = start
    def add(self, $X:i):
        self.total += <i+>
        return self
    def __add__(self, other):
        return ^C(self.total + other.total)
    def __len__(self):
        return abs(self.total) % 10
    def __repr__(self):
        return f"^C({self.total})"
== 2 uses i=^C(<li>)[<n>]; i=len(^C(<li>)); i=sum(^C(<li>));
   b=<i> in ^C(<li>); b=bool(^C(<li>)); i=^C(<li>).size
class ^C:
    kind = "box"
    def __init__(self, items):
        self._items = [*items, <k>]
    def __getitem__(self, index):
        return self._items[index % len(self._items)]
    def __len__(self):
        return len(self._items)
    def __iter__(self):
        return iter(self._items)
    def __contains__(self, item):
        return item in self._items
    @property
    def size(self):
        return len(self) * 2
== 2 uses s=^D(<s>).speak(); s=^C(<s>).speak(); i=^D(<s>).level;
   b=isinstance(^D(<c>), ^C); s=^C.of(<s>, <s>).name; i=^D.double(<i>)
class ^C:
    level = <k>
    def __init__(self, name):
        self.name = name
    def speak(self):
        return self.name
    @classmethod
    def of(cls, *parts):
        return cls("/".join(parts))
class ^D(^C):
    def __init__(self, name):
        super().__init__(name + "!")
        self.level += 1
    def speak(self):
        return super().speak().upper()
    @staticmethod
    def double($X:i):
        return <i+> * 2
== 1 uses i=^F(^C(<i>, <i>)); b=^C(<k>, <k>) == ^C(<i>, <k>);
   i=max(^C(<k>, <i>), ^C(<i>, <k>)).x; i=^C(<i>, <k>)._replace(y=<i>).y
^C = namedtuple("^C", "x y")
def ^F(p):
    match p:
        case ^C(x=0, y=y):
            return y
        case ^C(x, y) if x > y:
            return x - y
        case ^C():
            return <k>
== 1 uses i=^F(<i>); i=^C(<i>, <k>).area()
@dataclass
class ^C:
    x: int
    y: int = <k>
    def area(self):
        return self.x * self.y
def ^F($X:i):
    shape = ^C($X)
    shape.y += <i+>
    shape.x -= 1
    return shape.area() if shape != ^C(0, 0) else 0
== 1 uses li=^F(<li>); li=^F([<i>])
class ^C:
    def __init__(self, log):
        self.log = log
    def __enter__(self):
        self.log.append(1)
        return self
    def __exit__(self, kind, error, trace):
        self.log.append(-1)
        return kind is ZeroDivisionError
def ^F($X:li):
    log = []
    with ^C(log) as guard:
        for $Y:i in $X:
            log.append(<k> // $Y)
    return guard.log
== 1 uses ls=^F(<s>); i=len(^F(<s>))
@contextlib.contextmanager
def ^C(log, name):
    log.append("open " + name)
    try:
        yield len(log)
    finally:
        log.append("close")
def ^F($X:s):
    log = []
    with ^C(log, $X) as size, ^C(log, "b"):
        log.append(str(size))
    return log
== 1 uses i=^F(<i>); i=^F(<k>)
class ^E(ValueError):
    pass
def ^G($X:i):
    if <b+>:
        raise ^E("too far")
    return <i+>
def ^F($X:i):
    try:
        return ^G($X)
    except ^E as error:
        return len(str(error))
    finally:
        $X += 1
== 1 uses i=^F(<i>)
async def ^G($X:i):
    return <i+>
async def ^A($X:i):
    total = await ^G($X)
    return total + await ^G(<k>)
def ^F($X:i):
    task = ^A($X)
    try:
        task.send(None)
    except StopIteration as done:
        return done.value
    return 0
== 1 uses li=^R(^F(<n>))
class ^G:
    def __await__(self):
        yield <k>
        return <k>
async def ^T(n):
    for i in range(n):
        yield i * <k>
async def ^F(n):
    out = [x async for x in ^T(n)]
    async for x in ^T(n):
        out.append(x + await ^G())
    async with ^H() as extra:
        out.append(extra)
    return out
class ^H:
    async def __aenter__(self):
        return <k>
    async def __aexit__(self, *info):
        return False
def ^R(task):
    while True:
        try:
            task.send(None)
        except StopIteration as done:
            return done.value
== 1 rare uses i=^F(<i>)
async def ^G($X:i):
    await asyncio.sleep(0)
    return <i+>
def ^F($X:i):
    return sum(asyncio.run(^A($X)))
async def ^A($X:i):
    return await asyncio.gather(^G($X), ^G(<k>))
== 1 uses b=^F(<s>); b=^F("([]){}")
def ^F($X:s):
    pairs = {")": "(", "]": "[", "}": "{"}
    stack = []
    for ch in $X:
        if ch in pairs.values():
            stack.append(ch)
        elif ch in pairs and (not stack or stack.pop() != pairs[ch]):
            return False
    return not stack
== 1 uses i=^F(<li>, <i>)
def ^F($X:li, $Y:i):
    low, high = 0, len($X) - 1
    data = sorted($X)
    while low <= high:
        mid = (low + high) // 2
        if data[mid] == $Y:
            return mid
        if data[mid] < $Y:
            low = mid + 1
        else:
            high = mid - 1
    return -1
'''

_each = str.split
WORDS = _each(
    "apple pear kiwi fig red blue green Hello World foo bar baz spam data level noon radar tree node x y abc cab a-b "
    "one two three 12 7 42 100 3.5 zeta Omega café naïve Straße привет 東京 ABC aBc Mixed-Case snake_case end"
)
PHRASES = (
    "the quick brown fox",
    "a,b,c,d",
    "hello world",
    "1 2 3 4",
    "one, two, three",
    "  padded  ",
    "k=v;x=y",
    "To be or not to be",
    "(a[b]{c})",
    "A man a plan",
    "mississippi",
    "aaabbc",
    "no lemon no melon",
    "2024-05-17",
)
ODD = (
    '"it\'s"',
    "'say \"hi\"'",
    '"tab\\there"',
    '"line\\nbreak"',
    '"back\\\\slash"',
    '"\\u00e9\\x41"',
    '"→ ✓"',
    'r"\\w+"',
)
CHARS = tuple("aeiostrxbz,-_ .:01AZé")
BYTES = ('b"abc"', 'b"\\x00\\xff"', "b'hi there'", 'b""', 'b"a\\nb"')
DOCS = (
    "Count what matters",
    "Return the result for one item",
    "Keep what passes the test",
    "A small helper",
    "Combine the parts in order",
    "Handle the edge case first",
    "Works on any input",
)
SHORT = {
    "i": _each("x v y num val item a b"),
    "n": _each("i j k m idx pos"),
    "s": _each("w word name part t key"),
    "c": _each("c ch char letter sym"),
    "li": _each("row seq group vals sub"),
    "*": _each("p q u z e obj it other tmp"),
}
LONG = {
    "i": _each("total count result n best score acc limit size width step value diff"),
    "n": _each("n k m times"),
    "s": _each("text result out label name word line prefix s message"),
    "b": _each("found ok flag valid done seen_any"),
    "f": _each("ratio mean rate amount price"),
    "li": _each("nums values result items out xs data kept ys"),
    "ls": _each("words parts names lines tokens result"),
    "lli": _each("grid rows matrix groups"),
    "dsi": _each("counts table scores d mapping index"),
    "dis": _each("lookup by_id labels names_by_id"),
    "dsl": _each("buckets groups index by_key"),
    "lp": _each("pairs entries ranking items"),
    "si": _each("seen unique ids visited"),
    "ss": _each("letters unique vocab tags"),
    "t2": _each("pair point span bounds"),
    "*": _each("thing extra rest state record memo"),
}
FUNCTIONS = _each(
    "helper compute check score_of apply step build walk fold pick merge shift scale parse_part tally measure"
)
CLASSES = _each("Box Counter2 Account Shape Stack2 Item Base Child Point Ledger Frame Guard")

CONTAINERS = frozenset({"li", "ls", "lf", "lli", "lp", "dsi", "dis", "dsl", "si", "ss"})
RETURNS = (
    ("i",) * 9
    + ("s",) * 8
    + ("li",) * 6
    + ("ls",) * 4
    + ("b",) * 3
    + ("dsi",) * 3
    + ("f", "t2", "lp", "si", "tsi", "a")
)
PARAMS = (
    ("i",) * 8
    + ("s",) * 8
    + ("li",) * 9
    + ("ls",) * 5
    + ("n",) * 4
    + ("dsi",) * 3
    + ("lli", "b", "f", "lp", "t2", "dis", "si")
)
PRINTABLE = ("i", "s", "li", "b", "ls", "t2", "dsi", "f", "tsi", "y")
