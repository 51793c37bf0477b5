"""The tables of the short programs: what is done to a value of each type, and the words, names and roles of values.

Beside the notation of `semcoder.seeds._grammar`: `&A` without a type is the value that an operation works on, or the
variable that a statement is about; `<o_t>` is an operation on that variable that gives a t; `<e_t>` any operation that
gives a t, never a bare name. In headers and templates `L` stands for li or ls, `E` for what it holds, `V` for the role
of an element; `D` for a dict, `K` for its keys, `Q` for the role of a key, `E` for its values, `M` for a list of keys.

Types: i int, s str, b bool, f float, li ls lists, lli a list of lists of ints, lp a list of pairs, t ts tuples, dsi dss
dis dii dsl dicts (keys, then values), si ss sets. Roles are types whose values are drawn to fit their use: of
an int n (a count), at (an index), cut (a bound of a slice), w (a width), v (an element); of a str c (a character that a
loop takes), ch, sep, sub, pre, suf, fill, chars, word, key, sd (digits). `k`, `kk` (from 1) and `km` are literals.
"""

from __future__ import annotations

_each = str.split

#: What the roles are roles of.
BASES = {
    **dict.fromkeys(_each("n at cut w v ki"), "i"),
    **dict.fromkeys(_each("c ch sep sub pre suf fill chars word key sd"), "s"),
}

#: Types of variables that a hole of this type may mention.
ACCEPTS = {
    "i": _each("i n at cut w v ki"),
    "n": _each("n"),
    "at": _each("at n"),
    "cut": _each("cut n at"),
    "w": _each("w"),
    "v": _each("v i n"),
    "ki": _each("ki i n"),
    "s": _each("s c ch sep sub pre suf fill word key sd"),
    "c": _each("c ch"),
    "ch": _each("ch c"),
    "word": _each("word s"),
    "key": _each("key s c"),
    "sub": _each("sub"),
}

# Operations by type of operand and of result ------------------------------------------------------------------------

OPERATIONS = r"""
s>s
3 &A.lower()
3 &A.upper()
4 &A.capitalize()
4 &A.title()
4 &A.swapcase()
3 &A.casefold()
3 &A.strip()
3 &A.strip(<chars>)
2 &A.lstrip()
3 &A.lstrip(<chars>)
2 &A.rstrip()
3 &A.rstrip(<chars>)
5 &A.replace(<ch>, <ch>)
2 &A.replace(<sub>, <word>)
2 &A.replace(<ch>, <fill> * <km>)
3 &A.replace(<ch>, '')
2 &A.replace(<ch>, <ch>, <kk>)
1 &A.replace(<sub>, <sub>, 1)
3 &A.center(<w>, <fill>)
2 &A.center(<w>)
4 &A.ljust(<w>, <fill>)
1 &A.ljust(<w>)
4 &A.rjust(<w>, <fill>)
1 &A.rjust(<w>)
4 &A.zfill(<w>)
1 &A.zfill(len(&A) + <kk>)
4 &A.removeprefix(<pre>)
4 &A.removesuffix(<suf>)
2 &A.expandtabs(<k>)
2 &A.expandtabs()
2 &A.partition(<sep>)[0]
2 &A.partition(<sep>)[2]
2 &A.rpartition(<sep>)[0]
2 &A.rpartition(<sep>)[-1]
1 &A.split(<sep>)[0]
1 &A.split(<sep>)[-1]
3 &A.translate(str.maketrans(<trans>))
1 &A.translate(str.maketrans('', '', <chars>))
1 &A.translate({ord(<ch>): <word>})
1 &A.translate({ord(<ch>): None})
1 &A.translate(str.maketrans({<ch>: <word>}))
4 &A[::-1]
4 &A[<cut>:]
4 &A[:<cut>]
2 &A[<cut>:<cut>]
1 &A[-<kk>:]
1 &A[:-<kk>]
2 &A[1:-1]
1 &A[1:]
2 &A[::2]
1 &A[1::2]
1 &A[<cut>::<k>]
1 &A[::-<k>]
1 &A[:<cut>][::-1]
1 &A[:len(&A) // 2]
1 &A[len(&A) // 2:]
3 &A + <s>
2 <s> + &A
2 &A + <fill>
1 &A + &A[::-1]
1 &A[1:] + &A[0]
1 &A[-1] + &A[:-1]
2 &A[<cut>:] + &A[:<cut>]
2 &A * <n>
1 <sep>.join(&A)
1 ''.join(sorted(&A))
1 ''.join(sorted(&A, reverse=True))
1 ''.join(reversed(&A))
1 ''.join(sorted(set(&A)))
1 ''.join(dict.fromkeys(&A))
3 ''.join(<e_s+> for $Y:c in &A)
2 ''.join([<e_s+> for $Y:c in &A])
3 ''.join($Y for $Y:c in &A if <b+>)
2 ''.join([$Y for $Y:c in &A if <b+>])
1 ''.join(<e_s+> for $Y:c in &A if <b+>)
1 ''.join($Y:c * <km> for $Y in &A)
1 ''.join(<e_s+> if <b+> else $Y for $Y:c in &A)
1 ''.join(filter(str.isalnum, &A))
1 ''.join(filter(lambda $Y:c: <b+>, &A))
1 ''.join(map(str.upper, &A[:<cut>]))
1 ' '.join(&A.split())
1 ' '.join(&A.split()[::-1])
1 ' '.join($Y[::-1] for $Y:s in &A.split())
1 ' '.join(<e_s+> for $Y:s in &A.split())
1 <sep>.join(&A.split(<sep>))
1 <sep>.join(&A.splitlines())
1 max(&A.split(), key=len)
2 f'{&A}{&B:s}'
2 f'{&B:s}: {&A}'
2 f'{&A}-{&B:i}'
1 f'{&A:>{<w>}}'
1 f'[{&A}]'
1 '%s-%s' % (&A, <s>)
1 '{}{}'.format(&A, <s>)
1 '{0} {1} {0}'.format(&A, <s>)
1 '<{}>'.format(&A)
1 &A if <b> else <s>
1 &A or <word>
1 min(&A, <s>)

c>s
4 &A.upper()
3 &A.lower()
3 &A.swapcase()
4 &A * 2
2 &A * <k>
2 &A + <fill>
3 &A + <ch>
2 <fill> + &A
2 <ch> if &A == <ch> else &A
2 &A if &A.isalpha() else <fill>
1 &A.upper() if &A.islower() else &A.lower()
1 '' if &A in <chars> else &A
1 <fill> if &A.isspace() else &A
2 chr(ord(&A) + <kk>)
1 chr(ord('a') + (ord(&A) - ord('a') + <kk>) % 26) if &A.islower() else &A
1 &A.replace(<ch>, <ch>)
1 &A.zfill(<km>)
1 &A.title()
1 &A.casefold()
1 &A.rjust(<km>, <fill>)
1 &A.ljust(<km>, <fill>)
1 f'{&A}{&B:i}'
1 f'<{&A}>'
1 str(ord(&A))
1 str(ord(&A) % <k>)

c>b
6 &A == <ch>
4 &A != <ch>
5 &A in <chars>
4 &A not in <chars>
3 &A in 'aeiou'
2 &A.lower() in 'aeiou'
3 &A.isalpha()
3 &A.isdigit()
2 &A.isalnum()
2 &A.isupper()
2 &A.islower()
2 &A.isspace()
1 &A.isdecimal()
1 &A.isnumeric()
1 &A.isascii()
1 &A.isidentifier()
1 not &A.isalnum()
1 not &A.isalpha()
1 not &A.isspace()
2 &A > <ch>
1 &A < <ch>
1 ord(&A) % 2 == 0
1 &A.isalpha() and &A != <ch>
1 &A.isdigit() or &A == <ch>
1 <ch> <= &A <= 'z'
1 &A == &A.lower()
1 &A in <s>

c>i
4 ord(&A)
3 ord(&A) - ord('a')
2 ord(&A) - 96
2 ord(&A) % <k>
1 'abcdefghijklmnopqrstuvwxyz'.find(&A)
1 'aeiou'.find(&A) + 1
2 int(&A) if &A.isdigit() else <i>
1 int(&A.isupper())
1 len(&A * <k>)

s>i
6 len(&A)
5 &A.count(<ch>)
2 &A.count(<sub>)
1 &A.count(<ch>, <cut>)
1 &A.count(<ch>, <cut>, <w>)
4 &A.find(<ch>)
2 &A.find(<sub>)
2 &A.find(<ch>, <cut>)
4 &A.rfind(<ch>)
1 &A.rfind(<sub>)
1 &A.rfind(<ch>, 0, <w>)
3 &A.index(<ch>)
1 &A.index(<ch>, <kk>)
3 &A.rindex(<ch>)
1 &A.rindex(<sub>)
1 len(&A.split())
1 len(&A.split(<sep>))
1 len(&A.strip())
1 len(&A.splitlines())
2 len(set(&A))
1 len(&A) // 2
1 len(&A) % <k>
1 len(&A) - len(&A.lstrip(<chars>))
1 sum($Y.isdigit() for $Y:c in &A)
1 sum($Y.isupper() for $Y:c in &A)
2 sum(1 for $Y:c in &A if <b+>)
1 len([$Y for $Y:c in &A if <b+>])
1 sum(<e_i+> for $Y:c in &A)
1 sum(map(ord, &A[:<kk>]))
1 sum(int($Y) for $Y:c in &A if $Y.isdigit())
1 max(&A.count($Y) for $Y:c in &A)
1 max(len($Y) for $Y:s in &A.split(<sep>))
1 max(map(len, &A.split()), default=0)
1 ord(&A[0])
1 ord(&A[-1])
1 len(&A.encode())

sd>i
9 int(&A)
2 int(&A[::-1])
2 sum(int($Y) for $Y:c in &A)
1 int(&A[-<kk>:])
1 len(&A)
1 sum(map(int, &A))

sd>li
5 [int($Y) for $Y:c in &A]
2 list(map(int, &A))

s>b
2 &A.isalnum()
2 &A.isalpha()
4 &A.isascii()
3 &A.isdecimal()
2 &A.isdigit()
2 &A.isidentifier()
2 &A.islower()
2 &A.isnumeric()
3 &A.isprintable()
2 &A.isspace()
5 &A.istitle()
2 &A.isupper()
1 not &A.isalpha()
1 not &A.isupper()
4 &A.startswith(<pre>)
4 &A.endswith(<suf>)
1 &A.startswith((<pre>, <pre>))
1 &A.endswith((<suf>, <suf>))
1 &A.startswith(<ch>, <kk>)
1 &A.endswith(<ch>, 0, <w>)
1 not &A.startswith(<pre>)
5 <ch> in &A
3 <sub> in &A
3 <ch> not in &A
1 <sub> not in &A
3 &A == <word>
1 &A != <word>
2 &A == &A[::-1]
1 &A == &A.lower()
1 &A != &A.upper()
4 len(&A) > <n>
2 len(&A) % 2 == 0
1 len(&A) == <n>
1 len(&A) < <w>
2 &A.count(<ch>) > <kk>
1 &A.count(<ch>) % 2
2 not &A
1 &A and &A[0] == <ch>
1 &A[-1:] == <ch>
1 &A[0] == &A[-1]
1 any(<b+> for $Y:c in &A)
1 all(<b+> for $Y:c in &A)
1 &A < <word>
1 len(set(&A)) == len(&A)
1 len(set(&A)) < <k>
1 &A.find(<ch>) > <kk>
1 <sep> in &A and &A.count(<sep>) == 1
1 &A.lower() in (<word>, <word>)
1 isinstance(&A, str) and <ch> in &A
1 type(&A) is str

s>ls
6 &A.split()
7 &A.split(<sep>)
2 &A.split(<sep>, <kk>)
2 &A.split(<sep>, maxsplit=<kk>)
3 &A.rsplit(<sep>, 1)
1 &A.rsplit()
2 &A.rsplit(<sep>, maxsplit=<kk>)
4 &A.splitlines()
1 &A.splitlines(True)
1 &A.splitlines(keepends=True)
5 list(&A)
2 sorted(&A)
1 sorted(&A, reverse=True)
1 sorted(&A.split())
1 list(&A[::-1])
2 list(&A.partition(<sep>))
1 list(&A.rpartition(<sep>))
2 [<e_s+> for $Y:c in &A]
2 [$Y for $Y:c in &A if <b+>]
1 [<e_s+> for $Y:c in &A if <b+>]
1 [$Y.strip() for $Y:s in &A.split(<sep>)]
2 [<e_s+> for $Y:s in &A.split()]
1 [$Y for $Y:s in &A.split() if <b+>]
1 [&A[$I:$I + 2] for $I:n in range(0, len(&A), 2)]
1 [&A[$I:$I + 3] for $I:n in range(0, len(&A), 3)]
1 [&A[:$I] for $I:n in range(len(&A))]
1 [&A[$I:] for $I:n in range(min(len(&A), <k>))]
1 sorted(set(&A))
1 list(dict.fromkeys(&A))
1 list(reversed(&A))
1 [*&A]
1 [*&A, <ch>]
1 list(map(str.upper, &A))
1 list(map(str.strip, &A.split(<sep>)))
1 list(filter(str.isalpha, &A))
1 list(filter(None, &A.split(<sep>)))
1 &A.lower().split()
1 &A.replace(<ch>, ' ').split()
1 [&A[:<cut>], &A[<cut>:]]
1 [&A, &A[::-1]]
1 [&A] * <km>

s>li
3 [ord($Y:c) for $Y in &A]
3 [len($Y:s) for $Y in &A.split()]
1 [len($Y:s) for $Y in &A.split(<sep>)]
3 [$I for $I:n, $Y:c in enumerate(&A) if <b+>]
2 [&A.count($Y:c) for $Y in &A]
2 [int($Y) for $Y:c in &A if $Y.isdigit()]
1 list(map(ord, &A))
1 list(map(len, &A.split()))
1 [<e_i+> for $Y:c in &A]
1 list(range(len(&A)))
1 [&A.find($Y:c) for $Y in <chars>]

s>dsi
4 {$Y:c: &A.count($Y) for $Y in &A}
2 {$Y:c: $I for $I:n, $Y in enumerate(&A)}
1 {$Y:s: len($Y) for $Y in &A.split()}
1 dict.fromkeys(&A, <i>)
1 {$Y:c: ord($Y) for $Y in &A}
1 {$Y:c: 0 for $Y in &A}

s>dss
2 {$Y:c: $Y.upper() for $Y in &A}
1 dict(zip(&A, &A[1:]))
1 {$Y:c: <e_s+> for $Y in &A}

s>dis
1 dict(enumerate(&A))
1 {$I:n: $Y for $I, $Y:c in enumerate(&A) if <b+>}

s>ss
4 set(&A)
2 set(&A.split())
1 set(&A.lower())
2 {$Y:c for $Y in &A if <b+>}
1 {$Y:c.lower() for $Y in &A}

i>i
6 &A + <i>
4 &A - <i>
4 &A * <k>
3 &A // <k>
3 &A % <k>
1 &A * &A
1 &A ** 2
1 -&A
2 abs(&A)
1 max(&A, <i>)
1 min(&A, <i>)
1 <i> - &A
1 &A * <k> + <i>
1 (&A + <i>) % <k>
1 abs(&A - <i>)
1 &A if <b> else <i>
1 &A // <k> + &A % <k>
1 len(str(&A))
1 sum(int($Y) for $Y:c in str(abs(&A)))
1 int(str(abs(&A))[::-1])
1 divmod(&A, <k>)[1]
1 round(&A / <k>)

n>i
4 &A + 1
3 &A * <k>
2 &A + <i>
2 &A % <k>
1 &A * &A
1 <i> - &A
1 &A // 2
1 &A - <kk>

i>b
6 &A > <i>
5 &A < <i>
3 &A >= <i>
2 &A <= <i>
4 &A == <i>
2 &A != <i>
6 &A % 2 == 0
3 &A % <k> == 0
3 &A % 2
2 &A % 2 == 1
1 &A % <k> != 0
2 <lo> < &A < <hi>
1 <lo> <= &A <= <hi>
2 &A in [<vl>, <vl>, <vl>]
1 &A not in (<vl>, <vl>)
1 not &A
1 &A > <lo> and &A % <k> != <kk>
1 &A < <lo> or &A > <hi>
1 abs(&A) > <i>
1 &A and <hi> % &A == 0
1 &A * &A > <hi>

n>b
5 &A % 2 == 0
3 &A % 2
2 &A % <k> == 0
3 &A > <kk>
2 &A < <k>
2 &A == <n>
1 &A != <kk>
1 &A >= <at>
1 not &A

i>s
6 str(&A)
2 f'{&A}{&B:s}'
1 f'{&A}:{&B:s}'
1 f'{&A} items'
1 f'<{&A}>'
1 f'{&A:0<k>d}'
1 f'{&A:><k>}'
2 str(&A).zfill(<k>)
1 str(&A)[::-1]
1 '%d' % &A
1 '%d%%' % &A
1 '{}'.format(&A)
1 '%s:%d' % (<s>, &A)
2 chr(97 + &A % 26)
2 <fill> * (&A % <k>)
2 'even' if &A % 2 == 0 else 'odd'
2 <word> if <b> else <word>
1 <s>[&A % <k>:]

n>s
3 str(&A)
2 f'{&A}{&B:s}'
1 <ch> * &A
1 chr(97 + &A)
1 f'{&A}-{&B:s}'

i>li
3 list(range(&A))
1 [<i>] * (&A % <k>)
3 [&A, <i>]
1 [<e_i>, &A]
1 list(range(<lo>, &A, <kk>))
1 list(range(&A, <lo>, -<kk>))
2 list(divmod(&A, <k>))
2 [int($Y) for $Y:c in str(abs(&A))]
3 [<e_i+> for $Y:n in range(&A)]
2 [$Y for $Y:n in range(&A) if <b+>]
1 [$Y for $Y:n in range(1, abs(&A) + 1) if &A % $Y == 0]

i>ls
2 list(str(&A))
2 [str($Y:n) for $Y in range(&A)]
1 [<e_s+> for $Y:n in range(&A)]
1 [<fill> * $Y:n for $Y in range(1, &A)]

i>f
3 &A / <k>
1 float(&A)
1 &A * 0.5
1 round(&A / <k>, 2)

f>f
3 &A + <f>
2 &A * <k>
2 round(&A, 1)
1 abs(&A)

f>i
3 int(&A)
2 round(&A)

f>b
3 &A > <f>
1 &A < <i>

f>s
2 str(&A)
2 f'{&A:.1f}'
1 '%.2f' % &A

b>b
3 not &A
1 &A and <b>
1 &A or <b>

b>i
2 int(&A)
2 <i> if &A else <i>

b>s
2 str(&A)
2 <word> if &A else <word>

L>L
4 &A[::-1]
3 &A[<cut>:]
3 &A[:<cut>]
2 &A[<cut>:<cut>]
2 &A[1:]
1 &A[:-1]
2 &A[1:-1]
2 &A[::2]
1 &A[1::2]
1 &A[-<kk>:]
1 &A[:<cut>] + [<V>] + &A[<cut>:]
2 &A[<cut>:] + &A[:<cut>]
1 &A[-1:] + &A[:-1]
4 sorted(&A)
2 sorted(&A, reverse=True)
1 list(reversed(&A))
3 &A + [<V>]
1 [<V>] + &A
1 &A + &A[::-1]
2 &A + <L>
1 &A * 2
4 [$Y for $Y:E in &A if <b+>]
5 [<e_E+> for $Y:E in &A]
3 [<e_E+> for $Y:E in &A if <b+>]
2 [<e_E+> if <b+> else $Y for $Y:E in &A]
3 &A.copy()
1 list(&A)
1 sorted(set(&A))
2 list(dict.fromkeys(&A))
1 [$Y for $I:n, $Y:E in enumerate(&A) if $I % 2 == 0]
1 [$Y for $I:n, $Y:E in enumerate(&A) if <b+>]
1 [&A[$I] for $I:n in range(0, len(&A), <k>)]
1 [&A[$I - 1] for $I:n in range(len(&A))]
1 [$Y for $Y:E in &A if $Y not in <L>]
1 [$Y for $Y:E in &A if &A.count($Y) == 1]
1 [$Y for $Y:E in &A if $Y != <V>]
1 list(filter(lambda $Y:E: <b+>, &A))
1 list(map(lambda $Y:E: <e_E+>, &A))
1 list(filter(None, &A))
1 [*&A, <V>]
1 [*&A[1:], &A[0]]
1 [$Y:E for $X:E in &A for $Y in [$X, <V>]]
1 [$Y:E for $Y in &A for $X:n in range(2)]
1 &A[:] or [<V>]

li>li
2 sorted(&A, key=abs)
1 sorted(&A, key=lambda $Y:i: -$Y)
1 sorted(&A, key=lambda $Y:i: $Y % <k>)
1 sorted(&A, key=lambda $Y:i: ($Y % 2, $Y))
1 sorted(&A, key=lambda $Y:i: <e_i+>)
1 list(map(abs, &A))
1 [$X + $Y for $X:i, $Y:i in zip(&A, &A[1:])]
1 [$Y - $X for $X:i, $Y:i in zip(&A, &A[1:])]
1 [$X * $Y for $X:i, $Y:i in zip(&A, <li>)]
1 [sum(&A[:$I + 1]) for $I:n in range(len(&A))]
1 [$Y * $I for $I:n, $Y:i in enumerate(&A)]
1 [max($Y:i, 0) for $Y in &A]
1 [$Y - min(&A) for $Y:i in &A]
1 [$Y:i // <k> for $Y in &A if $Y > 0]

ls>ls
2 sorted(&A, key=len)
1 sorted(&A, key=str.lower)
1 sorted(&A, key=len, reverse=True)
1 sorted(&A, key=lambda $Y:s: (len($Y), $Y))
1 sorted(&A, key=lambda $Y:s: $Y[-1:])
1 sorted(&A, key=lambda $Y:s: $Y.count(<ch>))
1 list(map(str.upper, &A))
1 list(map(str.title, &A))
1 list(map(str.strip, &A))
1 [$Y:s for $Y in &A if len($Y) > <n>]
1 [$Y:s for $Y in &A if <ch> in $Y]
1 [$Y:s for $Y in &A if $Y.startswith(<pre>)]
1 [$X + $Y for $X:s, $Y:s in zip(&A, &A[1:])]
1 [f'{$I:n}{$Y:s}' for $I, $Y in enumerate(&A)]
1 [$Y:s[:<kk>] for $Y in &A]

L>E
4 &A[0]
4 &A[-1]
3 &A[<at>]
1 &A[len(&A) // 2]
2 max(&A)
2 min(&A)
1 &A[&A.index(<V>) - 1]
1 sorted(&A)[<at>]
1 next(iter(&A))
1 max(&A, key=lambda $Y:E: <e_i+>)
1 min(&A, key=lambda $Y:E: <e_i+>)
1 &A[0] if &A else <V>
1 max(set(&A), key=lambda $Y:E: (&A.count($Y), $Y))

L>i
6 len(&A)
5 &A.count(<V>)
4 &A.index(<V>)
1 &A[::-1].index(<V>)
2 len(set(&A))
1 sum(1 for $Y:E in &A if <b+>)
1 len([$Y for $Y:E in &A if <b+>])
1 len(&A) // 2
1 len(&A) % <k>

li>i
6 sum(&A)
1 max(&A) - min(&A)
1 max(&A, default=<i>)
1 min(&A, default=<i>)
1 max(&A, key=abs)
1 sum(&A) // len(&A)
1 sum(&A) % <k>
1 sum($Y:i * $Y for $Y in &A)
1 sum($Y for $Y:i in &A if <b+>)
1 sum(<e_i+> for $Y:i in &A)
1 sum(map(abs, &A))
1 sum(&A[::2])
1 sum(&A[:<cut>])
1 sum(&A, <i>)
1 sum($X * $Y for $X:i, $Y:i in zip(&A, <li>))
1 &A[0] - &A[-1]
1 &A.index(max(&A))
1 &A.index(min(&A))

ls>i
2 sum(len($Y:s) for $Y in &A)
2 max(len($Y:s) for $Y in &A)
2 max(map(len, &A))
1 sum(map(len, &A))
1 len(&A[0])
1 len(''.join(&A))
1 sum($Y:s.count(<ch>) for $Y in &A)
1 len(max(&A, key=len))
1 min(len($Y:s) for $Y in &A)

L>b
6 <V> in &A
3 <V> not in &A
2 not &A
4 len(&A) > <n>
1 len(&A) % 2 == 0
1 len(&A) == <n>
1 &A == sorted(&A)
1 &A == &A[::-1]
1 &A[0] == &A[-1]
1 &A[-1] > &A[0]
1 any(<b+> for $Y:E in &A)
1 all(<b+> for $Y:E in &A)
1 any([<b+> for $Y:E in &A])
1 len(set(&A)) == len(&A)
1 &A.count(<V>) > <kk>
1 &A and &A[0] == <V>
1 isinstance(&A[0], int)
1 len(&A) > <n> and &A[1] != <V>

li>b
1 sum(&A) > <i>
1 sum(&A) % 2 == 0
1 max(&A) > <hi>
1 min(&A) < 0
1 all($Y:i > 0 for $Y in &A)

ls>b
1 all(map(str.isalpha, &A))
1 any(map(str.isdigit, &A))
1 any($Y:s.endswith(<suf>) for $Y in &A)

ls>s
7 <sep>.join(&A)
6 ''.join(&A)
3 ' '.join(&A)
1 ', '.join(&A)
1 '-'.join(&A)
2 <sep>.join(&A[::-1])
2 <sep>.join(sorted(&A))
2 <sep>.join(<e_s+> for $Y:s in &A)
2 ''.join($Y:s[0] for $Y in &A if $Y)
1 ''.join($Y:s[-1:] for $Y in &A)
1 <sep>.join($Y for $Y:s in &A if <b+>)
1 max(&A, key=len)
1 min(&A, key=len)
1 <sep>.join(&A[<cut>:])
1 ''.join(&A[::2])
1 ''.join(reversed(&A))
1 f'{&A[0]}{&B:s}'
1 f'{&A[0]}-{&A[-1]}'

li>s
3 ''.join(str($Y:i) for $Y in &A)
4 <sep>.join(map(str, &A))
2 ' '.join(map(str, &A))
2 <sep>.join([str($Y:i) for $Y in &A])
2 <sep>.join(<e_s+> for $Y:i in &A)
1 str(&A)
1 ''.join(chr(97 + $Y:i % 26) for $Y in &A)
1 f'{len(&A)}:{sum(&A)}'

li>ls
3 [str($Y:i) for $Y in &A]
2 list(map(str, &A))
2 [<e_s+> for $Y:i in &A]
1 [<fill> * $Y:i for $Y in &A]
1 [f'{$I}:{$Y}' for $I:n, $Y:i in enumerate(&A)]

ls>li
4 [len($Y:s) for $Y in &A]
2 list(map(len, &A))
2 [<e_i+> for $Y:s in &A]
1 [$Y:s.count(<ch>) for $Y in &A]
1 [int($Y) for $Y:s in &A if $Y.isdigit()]
2 [$I for $I:n, $Y:s in enumerate(&A) if <b+>]
1 [&A.index($Y:s) for $Y in &A]

L>lp
2 list(enumerate(&A))
1 list(enumerate(&A, start=1))
3 list(zip(&A, &A[1:]))
2 list(zip(&A, <L>))
1 [($Y:E, <e_i+>) for $Y in &A]

li>lli
2 [[$Y:i, <e_i+>] for $Y in &A]
2 [&A[$I:$I + 2] for $I:n in range(0, len(&A), 2)]
1 [&A[$I:$I + <k>] for $I:n in range(len(&A) - 1)]
1 [list($Y) for $Y:t in zip(&A, &A[1:])]
1 [&A[:<cut>], &A[<cut>:]]
1 [[$I] * $I for $I:n in &A if 0 < $I < 6]

L>t
1 tuple(&A)

li>t
2 (min(&A), max(&A))
1 (len(&A), sum(&A))
2 tuple(sorted(&A))
1 tuple($Y for $Y:i in &A if <b+>)
1 tuple(<e_i+> for $Y:i in &A)

ls>dsi
3 {$Y:s: len($Y) for $Y in &A}
2 {$Y:s: &A.count($Y) for $Y in &A}
2 {$Y:s: $I for $I:n, $Y in enumerate(&A)}
1 dict(zip(&A, range(len(&A))))
2 dict.fromkeys(&A, <i>)
1 {$Y:s: <e_i+> for $Y in &A}

ls>dis
2 dict(enumerate(&A))
1 {len($Y:s): $Y for $Y in &A}
1 dict(enumerate(&A, 1))

ls>dss
2 {$Y:s: $Y[::-1] for $Y in &A}
1 {$Y:s: <e_s+> for $Y in &A}
1 dict(zip(&A, &A[1:]))

li>dii
3 {$Y:i: <e_i+> for $Y in &A}
2 {$Y:i: &A.count($Y) for $Y in &A}
1 {$I:n: $Y for $I, $Y:i in enumerate(&A)}
1 dict(enumerate(&A))
1 dict.fromkeys(&A, <i>)
1 dict(zip(&A, &A[::-1]))

li>dis
2 {$Y:i: str($Y) for $Y in &A}
1 {$Y:i: <e_s+> for $Y in &A}

li>si
2 set(&A)
2 {<e_i+> for $Y:i in &A}
1 {$Y for $Y:i in &A if <b+>}

ls>ss
2 set(&A)
2 {<e_s+> for $Y:s in &A}

D>i
6 len(&A)
1 len(&A.items())
1 len(set(&A.values()))

dsi>i
5 sum(&A.values())
2 max(&A.values())
1 min(&A.values())
1 sum($Y for $X:s, $Y:i in &A.items() if <b+>)

dii>i
3 sum(&A.values())
1 sum(&A)
1 sum($X * $Y for $X:i, $Y:i in &A.items())
1 max(&A.values())

D>E
5 &A.get(<Q>, <E>)
3 &A[<Q>]
1 &A[min(&A)]
1 max(&A.values())
1 list(&A.values())[<at>]
1 &A.get(<Q>) or <E>

D>K
2 max(&A)
2 min(&A)
1 list(&A)[0]
1 list(&A.keys())[-1]
1 next(iter(&A))
1 max(&A, key=&A.get)
1 max(&A, key=lambda $Y:K: &A[$Y])
1 min(&A, key=&A.get)

D>M
3 list(&A)
3 list(&A.keys())
3 sorted(&A)
1 sorted(&A.keys())
1 sorted(&A, reverse=True)
2 sorted(&A, key=&A.get)
1 sorted(&A, key=lambda $Y:K: &A[$Y], reverse=True)
2 [$X for $X:K in &A if <b+>]
2 [$X for $X:K, $Y:E in &A.items() if <b+>]
1 [<e_K+> for $X:K in &A]

dsi>li
3 list(&A.values())
1 sorted(&A.values())
1 [$Y for $X:s, $Y:i in &A.items() if <b+>]
1 [<e_i+> for $Y:i in &A.values()]

dii>li
2 list(&A.values())
1 sorted(&A.values())
1 [$X + $Y for $X:i, $Y:i in &A.items()]

dis>ls
2 list(&A.values())
1 sorted(&A.values())
1 [$Y for $X:i, $Y:s in &A.items() if <b+>]

dss>ls
2 list(&A.values())
1 [$X + $Y for $X:s, $Y:s in &A.items()]
1 [f'{$X}={$Y}' for $X:s, $Y:s in &A.items()]

D>lp
3 list(&A.items())
4 sorted(&A.items())
1 sorted(&A.items(), reverse=True)
2 sorted(&A.items(), key=lambda $Y:lp: $Y[1])
1 sorted(&A.items(), key=lambda $Y:lp: ($Y[1], $Y[0]))
1 [($Y, $X) for $X:K, $Y:E in &A.items()]

D>D
3 {$X: $Y for $X:K, $Y:E in &A.items() if <b+>}
4 {$X: <e_E+> for $X:K, $Y:E in &A.items()}
2 {<e_K+>: $Y for $X:K, $Y:E in &A.items()}
2 {$X: &A[$X] for $X:K in sorted(&A)}
1 {$X: <e_E+> if <b+> else $Y for $X:K, $Y:E in &A.items()}
3 dict(sorted(&A.items()))
1 dict(sorted(&A.items(), key=lambda $Y:lp: $Y[1]))
3 &A.copy()
1 dict(&A)
2 {**&A, <Q>: <E>}
1 {<Q>: <E>, **&A}
1 dict(reversed(&A.items()))
1 dict(list(&A.items())[:<kk>])

dsi>dis
3 {$Y: $X for $X:s, $Y:i in &A.items()}
1 {$Y:i: $X:s for $X, $Y in sorted(&A.items())}

dis>dsi
3 {$Y: $X for $X:i, $Y:s in &A.items()}

dss>dss
2 {$Y: $X for $X:s, $Y:s in &A.items()}

D>b
6 <Q> in &A
4 <Q> not in &A
2 not &A
2 len(&A) > <n>
1 &A.get(<Q>) is None
1 &A.get(<Q>) is not None
1 &A.get(<Q>) == <E>
2 <E> in &A.values()
1 any(<b+> for $Y:E in &A.values())
1 all(<b+> for $Y:K in &A)
1 len(set(&A.values())) == len(&A)

D>s
1 ', '.join(f'{$X}: {$Y}' for $X:K, $Y:E in &A.items())
1 ';'.join(f'{$X}={$Y}' for $X:K, $Y:E in sorted(&A.items()))
1 ' '.join('%s-%s' % ($X, $Y) for $X:K, $Y:E in &A.items())
1 ','.join(map(str, &A.values()))

dsi>s
2 ''.join(&A)
1 <sep>.join(sorted(&A))
2 ''.join($X * ($Y % <k>) for $X:s, $Y:i in &A.items())

dss>s
2 ''.join(&A.values())
1 <sep>.join(sorted(&A))
1 <sep>.join($X + $Y for $X:s, $Y:s in &A.items())

dis>s
2 ''.join(&A.values())
1 ''.join(&A[$X] for $X:i in sorted(&A))

dsl>i
3 len(&A)
2 sum(len($Y:li) for $Y in &A.values())
1 sum(sum($Y:li) for $Y in &A.values())
1 max(len($Y:li) for $Y in &A.values())

dsl>li
4 &A.get(<key>, [])
3 [$Y:i for $X:li in &A.values() for $Y in $X]
2 &A[<key>]
2 [len($Y:li) for $Y in &A.values()]
1 sum(&A.values(), [])

dsl>ls
2 list(&A)
2 sorted(&A)
2 [$X for $X:s, $Y:li in &A.items() if <b+>]
1 sorted(&A, key=lambda $Y:s: len(&A[$Y]))

dsl>dsi
4 {$X: len($Y) for $X:s, $Y:li in &A.items()}
3 {$X: sum($Y) for $X:s, $Y:li in &A.items()}
1 {$X: <e_i+> for $X:s, $Y:li in &A.items() if $Y}

dsl>dsl
3 {$X: <e_li+> for $X:s, $Y:li in &A.items()}
2 {$X: $Y for $X:s, $Y:li in &A.items() if <b+>}
1 {$X: sorted($Y) for $X:s, $Y:li in &A.items()}

dsl>b
4 <key> in &A
2 <key> not in &A
1 not &A
1 any(&A.values())

lli>i
3 len(&A)
3 sum(len($Y:li) for $Y in &A)
3 sum(sum($Y:li) for $Y in &A)
1 max(max($Y:li, default=0) for $Y in &A)
1 len(&A[0])
2 max(len($Y:li) for $Y in &A)
1 &A[<kk>][0]
2 sum($Y:li[0] for $Y in &A if $Y)

lli>li
3 [sum($Y:li) for $Y in &A]
2 [len($Y:li) for $Y in &A]
3 [$Y:i for $X:li in &A for $Y in $X]
1 [$Y:i for $X:li in &A for $Y in $X if <b+>]
1 sum(&A, [])
2 &A[0]
2 &A[-1]
1 &A[<at>]
1 max(&A, key=len)
1 [$Y:li[-1] for $Y in &A if $Y]
2 [max($Y:li) for $Y in &A if $Y]
2 [&A[$I][$I] for $I:n in range(min(len(&A), len(&A[0])))]

lli>lli
3 [list($Y:t) for $Y in zip(*&A)]
3 [$Y:li[::-1] for $Y in &A]
2 [sorted($Y:li) for $Y in &A]
3 [<e_li+> for $Y:li in &A]
1 sorted(&A)
1 sorted(&A, key=sum)
1 sorted(&A, key=len)
2 [$Y:li for $Y in &A if <b+>]
2 [[<e_i+> for $Y:i in $X] for $X:li in &A]
2 &A[::-1]
1 &A + [[<v>, <v>]]
1 [$Y:li[:] for $Y in &A]

lli>b
2 [] in &A
2 len(&A) > <kk>
2 all(<b+> for $Y:li in &A)
2 any(<b+> for $Y:li in &A)
1 not &A

t>t
3 &A[::-1]
2 &A + (<v>,)
2 tuple(sorted(&A))
2 &A[<cut>:]
2 &A[1:]
1 tuple(<e_i+> for $Y:i in &A)
1 tuple(reversed(&A))
1 &A * 2

t>i
5 &A.count(<v>)
5 &A.index(<v>)
2 len(&A)
2 sum(&A)
2 max(&A)
3 &A[<at>]
1 &A[0]

t>li
3 list(&A)
2 sorted(&A)
2 [<e_i+> for $Y:i in &A]
2 [$Y for $Y:i in &A if <b+>]

t>b
3 <v> in &A
2 len(&A) > <kk>
1 not &A
1 &A[0] > &A[-1]

t>s
1 ''.join(map(str, &A))
1 str(&A)

ts>s
3 ''.join(&A)
3 <sep>.join(&A)
2 &A[<at>]
1 ' '.join(reversed(&A))
1 max(&A, key=len)

ts>i
4 &A.count(<word>)
4 &A.index(<word>)
2 len(&A)
1 sum(map(len, &A))

ts>ls
3 list(&A)
2 sorted(&A)
2 [<e_s+> for $Y:s in &A]
2 [$Y for $Y:s in &A if <b+>]

ts>ts
2 &A[::-1]
2 &A + (<word>,)
1 tuple($Y.upper() for $Y:s in &A)
1 tuple(sorted(&A))

ts>b
3 <word> in &A
1 len(&A) > <kk>

lp>i
3 len(&A)

lp>lp
2 sorted(&A)
2 &A[::-1]
1 &A[<cut>:]

lp>b
2 len(&A) > <kk>
2 not &A

si>i
4 len(&A)
2 sum(&A)
2 max(&A)
1 min(&A)

si>li
6 sorted(&A)
1 sorted(&A, reverse=True)
2 [<e_i+> for $Y:i in sorted(&A)]
1 sorted($Y for $Y:i in &A if <b+>)
2 sorted(&A & set(<li>))
2 sorted(&A | {<v>, <v>})
2 sorted(&A - {<v>, <v>})
2 sorted(&A ^ set(<li>))
4 sorted(&A.union(<li>))
4 sorted(&A.intersection(<li>))
4 sorted(&A.difference([<v>, <v>]))

si>si
2 &A | set(<li>)
2 &A & set(<li>)
2 &A - {<v>, <v>}
2 &A ^ {<v>, <v>}
2 &A.union(<li>)
4 &A.intersection(<li>)
4 &A.difference(<li>)

si>b
4 <v> in &A
2 <v> not in &A
2 len(&A) > <n>

ss>i
6 len(&A)
1 len(&A & set(<chars>))
1 len(&A - set(<chars>))

ss>ls
6 sorted(&A)
1 sorted(&A, reverse=True)
1 sorted(&A, key=lambda $Y:s: (len($Y), $Y))
2 sorted(&A | {<word>})
2 sorted(&A - set(<chars>))
1 sorted(&A & set(<s>))
2 sorted(&A.union(<chars>))
4 sorted(&A.intersection(<s>))
4 sorted(&A.difference(<chars>))
1 sorted(&A ^ set(<s>))

ss>ss
2 &A | set(<s>)
2 &A & set(<s>)
2 &A - set(<chars>)
1 &A ^ set(<s>)
1 &A.union(<s>)
4 &A.intersection(<s>)
3 &A.difference(<chars>)

ss>s
4 ''.join(sorted(&A))
2 <sep>.join(sorted(&A))
1 max(&A)
1 min(&A)

ss>b
4 <ch> in &A
2 <ch> not in &A
2 len(&A) > <n>
"""

# Statements by the type of the variable that they are about ---------------------------------------------------------
#
# Flags: `self` changes its variable (and may stand in a branch); `loop` accumulates in its <loop>, after a first value;
# `end` returns on all ways; `top` only at the function's own level; `alias` makes names of one list.

STATEMENTS = r"""
#### s
== 16 self
&A = <o_s>
== 6
@X:s = <o_s>
== 9
@X:ls = <o_ls>
== 5
@X:i = <o_i>
== 1
@X:li = <o_li>
== 1
@X:dsi = <o_dsi>
== 1
@X:dss = <o_dss>
== 3
@X:ss = <o_ss>
== 1
@X:b = <o_b>
== 1 top
@X:s, @Y:s, @Z:s = &A.partition(<sep>)
== 1 top
@X:s, @Y:s, @Z:s = &A.rpartition(<sep>)
== 1 top
@X:s, _, @Y:s = &A.partition(<sep>)
== 1 top
@X:s, _, @Y:s = &A.rpartition(<sep>)
== 1 top
@X:s, *@Y:ls = &A.split(<sep>)
== 1 top
@X:s, @Y:s = &A[:<cut>], &A[<cut>:]
== 3 self
&A += <s>
== 1 self
&A *= <km>
== 5 top self
if <o_b>:
    &A = <o_s>
== 4 top self
if <o_b>:
    &A = <o_s>
else:
    &A = <o_s>
== 1 top self
if <o_b>:
    &A = <o_s>
elif <o_b>:
    &A = <o_s>
else:
    &A += <s>
== 1 top
if <o_b>:
    @X:s = <o_s>
else:
    @X = <o_s>
== 2 top
@X:s = <o_s> if <o_b> else <o_s>
== 6 top
if <o_b>:
    return <r>
== 3 top end
if <o_b>:
    return <o_s>
else:
    return <o_s>
== 2 top end
if <o_b>:
    return <o_s>
return <o_s>
== 1 top end
if <o_b>:
    return <r>
elif <o_b>:
    return <o_s>
return <r>
== 10 loop
for $Y:c in &A:
    <loop+>
== 4 loop also c=&A[$I]
for $I:n in range(len(&A)):
    <loop+>
== 4 loop
for $I:n, $Y:c in enumerate(&A):
    <loop+>
== 1 loop
for $I:n, $Y:c in enumerate(&A, start=1):
    <loop+>
== 1 loop
for $I:n, $Y:c in enumerate(&A, <kk>):
    <loop+>
== 1 loop
for $Y:c in reversed(&A):
    <loop+>
== 1 loop
for $Y:c in &A[::-1]:
    <loop+>
== 1 loop
for $Y:c in sorted(&A):
    <loop+>
== 1 loop
for $Y:c in sorted(set(&A)):
    <loop+>
== 1 loop
for $Y:c in &A[<cut>:]:
    <loop+>
== 1 loop
for $Y:c in <o_s>:
    <loop+>
== 3 loop
for $Y:s in &A.split():
    <loop+>
== 3 loop
for $Y:s in &A.split(<sep>):
    <loop+>
== 1 loop
for $Y:s in &A.splitlines():
    <loop+>
== 1 loop
for $I:n, $Y:s in enumerate(&A.split()):
    <loop+>
== 2 loop
for $X:s in &A.split():
    for $Y:c in $X:
        <loop+>
== 1 loop
for $Y:c in <chars>:
    for $X:c in &A:
        <loop+>
== 2
$P = ''
@X:s = ''
for $Y:c in &A:
    if $Y != $P:
        @X += <s+>
    $P = $Y
== 1
@X:li = []
$P:n = 1
for $I:n in range(1, len(&A)):
    if &A[$I] == &A[$I - 1]:
        $P += 1
    else:
        @X.append($P)
        $P = 1
== 2
@X:ls = []
for $Y:c in &A:
    if $Y in <chars>:
        @X.append($Y)
    elif @X:
        @X.pop()
== 1
@X:s = ''
$P = <flag>
for $Y:c in &A:
    if $Y == <ch>:
        $P = not $P
    elif $P:
        @X += <s+>
== 1
@X:ls = []
$P = ''
for $Y:c in &A:
    if $Y == <ch>:
        @X.append($P)
        $P = ''
    else:
        $P += <s+>
@X.append($P)
== 1
@X:dsi = {}
for $Y:c in &A:
    if $Y not in @X:
        @X[$Y] = 0
    @X[$Y] += 1
== 1
@X:s = ''
for $Y:c in &A:
    @X = $Y + @X if <b+> else @X + $Y
== 1
@X:ls = [''] * <k>
for $I:n, $Y:c in enumerate(&A):
    @X[$I % len(@X)] += $Y
== 1 loop
for $Y:c in &A:
    if <b+>:
        break
    <loop+>
else:
    &A += <ch>
== 1 loop also c=&A[$I]
for $I:n in range(0, len(&A), <k>):
    <loop+>
== 1 loop also c=&A[$I]
for $I:n in range(len(&A) - 1, -1, -1):
    <loop+>
== 1 loop also c=&A[$I]; c=&A[$I + 1]
for $I:n in range(len(&A) - 1):
    <loop+>
== 1 loop also s=&A[$I:$I + 2]
for $I:n in range(len(&A) - 1):
    <loop+>
== 1 loop
for $X:c, $Y:c in zip(&A, &A[1:]):
    <loop+>
== 1 loop
for $X:c, $Y:c in zip(&A, <s>):
    <loop+>
== 2 loop also c=&A[$I]
$I:n = 0
while $I < len(&A):
    <tail+>
    $I += 1
== 1 loop also c=&A[$I]
$I:n = len(&A) - 1
while $I >= 0:
    <tail+>
    $I -= <kk>
== 1 loop also c=&A[0]
while &A:
    <tail+>
    &A = &A[1:]
== 1 self
while &B:sub in &A:
    &A = &A.replace(&B, '', 1)
== 1 self
while '  ' in &A:
    &A = &A.replace('  ', ' ')
== 1 self
while '--' in &A:
    &A = &A.replace('--', '-')
== 1 self
while 'aa' in &A:
    &A = &A.replace('aa', 'a')
== 1 self
while &A.startswith(<ch1>):
    &A = &A[1:]
== 1 self
while &A and &A[-1] in <chars>:
    &A = &A[:-1]
== 1 self
while len(&A) < <w>:
    &A += <fill1>
== 1 self
while len(&A) > <k>:
    &A = &A[1:-1]
== 1 self
for $Y:c in <chars>:
    &A = &A.replace($Y, <ch>)
== 1 self
for $I:n in range(<k>):
    &A = &A[1:] + &A[:1]
== 1 self
for $Y:c in <s>:
    &A = &A.replace($Y, '', 1)
== 4 end
for $Y:c in &A:
    if <b+>:
        return <r+>
return <r>
== 4 end
for $I:n, $Y:c in enumerate(&A):
    if <b+>:
        return <r+>
return <r>
== 2 end
for $Y:s in &A.split():
    if <b+>:
        return <r+>
return <r>
== 1 end also c=&A[$I]
for $I:n in range(len(&A)):
    if <b+>:
        return <r+>
return <r>
== 1 end
for $Y:c in &A:
    if <b+>:
        break
else:
    return <r>
return <r>
== 3 end
for $Y:c in &A:
    if <b+>:
        return False
return True
== 2 end
for $Y:c in &A:
    if not <b+>:
        return False
return <b>
== 2 end
if <o_b>:
    return False
return <o_b>
== 2 end
return <o_b> and <o_b>
== 1 end
return <o_b> or <o_b>
== 1 end
try:
    return &A[:&A.index(<ch>)]
except ValueError:
    return <r>
== 1
try:
    @X:i = &A.index(<ch>)
except ValueError:
    @X = <i>
== 1
try:
    @X:i = &A.rindex(<sub>)
except:
    @X = -1
== 1
try:
    @X:i = int(&A)
except ValueError:
    @X = len(&A)
== 1 top self
$Q:ls = list(&A)
$Q[<at>] = <ch>
&A = ''.join($Q)
== 1 top self
$Q:ls = list(&A)
$Q.reverse()
&A = <sep>.join($Q)
== 1 top self
$Q:ls = list(&A)
$Q.sort()
&A = ''.join($Q)
== 1
@X:ls = []
for $Y:s in &A.split(<sep>):
    @X += [<e_s+>]
== 1 top end
$L, $R = 0, len(&A) - 1
while $L < $R:
    if &A[$L] != &A[$R]:
        return <r>
    $L += 1
    $R -= 1
return <r>
== 1 top
assert len(&A) < 100

#### sd
== 8
@X:i = <o_i>
== 3
@X:li = <o_li>
== 3 loop
for $Y:c in &A:
    <loop+>
== 2
try:
    @X:i = int(&A)
except ValueError:
    @X = <i>
== 2 end
try:
    return int(&A) + <i>
except ValueError:
    return &A
== 1 end
try:
    return float(&A)
except ValueError:
    return <r>
== 2
@X:i = int(&A) if &A.isdigit() else <i>
== 2
@X:i = 0
for $Y:c in &A:
    if $Y.isdigit():
        @X += int($Y)
== 2 self
&A = <o_s>
== 1
@X:ls = <o_ls>

#### i
== 6
@X:i = <o_i>
== 3
@X:s = <o_s>
== 5
@X:li = <o_li>
== 2
@X:ls = <o_ls>
== 1
@X:f = <o_f>
== 6 self
&A = <o_i>
== 7 self
&A += <i>
== 4 self
&A -= <i>
== 3 self
&A *= <k>
== 3 self
&A //= <k>
== 3 self
&A %= <k>
== 1 self
&A **= 2
== 4 top self
if <o_b>:
    &A = <o_i>
== 3 top self
if <o_b>:
    &A += <i>
else:
    &A -= <i>
== 2 top self
if <o_b>:
    &A *= <k>
else:
    &A //= <k>
== 4 top
if <o_b>:
    return <r>
== 2 top end
if <o_b>:
    return <o_s>
return <o_s>
== 2 top end
if <o_b>:
    return <o_i>
elif <o_b>:
    return <o_i>
else:
    return <i>
== 5 loop
for $Y:n in range(&A):
    <loop+>
== 3 loop
for $Y:n in range(1, &A + 1):
    <loop+>
== 1 loop
for $Y:n in range(&A, 0, -1):
    <loop+>
== 1 loop
for $Y:n in range(<lo>, &A, <k>):
    <loop+>
== 2 loop
for $Y:c in str(&A):
    <loop+>
== 3 loop also i=&A
while &A > 0:
    <tail+>
    &A -= <k>
== 3 loop also i=&A % 10
while &A > 0:
    <tail+>
    &A //= 10
== 1 loop also i=&A
while &A > <kk>:
    <tail+>
    &A //= 2
== 1 self
while &A % 2 == 0 and &A > 0:
    &A //= 2
== 1 self
while &A < <hi>:
    &A += <k>
== 1 self
while &A > 10:
    &A = sum(int($Y:c) for $Y in str(&A))
== 1 end
for $Y:n in range(2, &A):
    if &A % $Y == 0:
        return <r+>
return <r>
== 1
@X:i, @Y:i = divmod(&A, <k>)
== 1 self
@X:i = &A = &A + <i>
== 1
try:
    @X:i = <i> // &A
except ZeroDivisionError:
    @X = <i>
== 1 end
try:
    return <hi> % &A
except ZeroDivisionError:
    return <r>
== 1
@X:i = @Y:i = &A

#### L
== 8 self
&A.append(<V>)
== 2 self
&A.append(<e_E>)
== 3 self
&A.extend(<L>)
== 2 self
&A.extend([<V>, <V>])
== 1 self
&A += [<V>]
== 4 self
&A.insert(<at>, <V>)
== 2 self
&A.insert(0, <V>)
== 1 self
&A.insert(len(&A) // 2, <V>)
== 2 self
&A.pop()
== 2 self
&A.pop(0)
== 3 self
&A.pop(<at>)
== 3 self
if &B:V in &A:
    &A.remove(&B)
== 3 self
if &B:E in &A:
    &A.remove(&B)
== 1 self
&A.remove(&B:E)
== 1 self
&A.remove(&A[0])
== 1 self
&A.remove(max(&A))
== 5 self
&A.reverse()
== 4 self
&A.sort()
== 3 self
&A.sort(reverse=True)
== 1 self
&A.sort(key=lambda $Y:E: <e_i+>)
== 1 self
&A.sort(key=lambda $Y:E: &A.index($Y) if <b+> else 0)
== 3 self
&A[<at>] = <V>
== 1 self
&A[0] = <V>
== 2 self
&A[0], &A[-1] = &A[-1], &A[0]
== 1 self
&A[0], &A[1] = &A[1], &A[0]
== 1 self
&A[1], &A[-1] = &A[-1], &A[1]
== 1 self
&A[<cut>:<cut>] = [<V>]
== 1 self
&A[:<kk>] = <L>
== 1 self
&A[::2] = &A[::2][::-1]
== 2 self
del &A[<at>]
== 2 self
del &A[<cut>:]
== 1 self
del &A[:<kk>]
== 1 self
del &A[-1]
== 1 self
&A[<at>] += <E>
== 4 self
&A = <o_L>
== 6
@X:L = <o_L>
== 3
@X:E = <o_E>
== 5
@X:i = <o_i>
== 4
@X:s = <o_s>
== 2 top self
@X:E = &A.pop(<at>)
== 2 top self
@X:E = &A.pop()
== 2 top
@X:E, *@Y:L = &A
== 1 top
*@X:L, @Y:E = &A
== 1 top
@X:E, @Y:E = &A[0], &A[-1]
== 4 self
if <o_b>:
    <block>
== 3 self
if <o_b>:
    <block>
else:
    <block>
== 1 self
if <o_b>:
    &A.clear()
== 1 self
if <o_b>:
    &A.clear()
else:
    &A.append(<V>)
== 6 top
if <o_b>:
    return <r>
== 2 top end
if <o_b>:
    return <o_L>
return <o_L>
== 2 top end
if <o_b>:
    return <o_i>
else:
    return <o_E>
== 9 loop
for $Y:E in &A:
    <loop+>
== 5 loop also E=&A[$I]
for $I:n in range(len(&A)):
    <loop+>
== 4 loop
for $I:n, $Y:E in enumerate(&A):
    <loop+>
== 1 loop
for $I:n, $Y:E in enumerate(&A, start=1):
    <loop+>
== 1 loop
for $Y:E in reversed(&A):
    <loop+>
== 1 loop
for $Y:E in &A[::-1]:
    <loop+>
== 1 loop
for $Y:E in sorted(&A):
    <loop+>
== 1 loop
for $Y:E in &A[1:]:
    <loop+>
== 1 loop
for $Y:E in <o_L>:
    <loop+>
== 1 loop also E=&A[$I]; E=&A[$I - 1]
for $I:n in range(1, len(&A)):
    <loop+>
== 1 loop also E=&A[$I]; E=&A[$I + 1]
for $I:n in range(len(&A) - 1):
    <loop+>
== 1 loop also E=&A[$I]
for $I:n in range(len(&A) - 1, -1, -1):
    <loop+>
== 1 loop also E=&A[$I]
for $I:n in range(0, len(&A), 2):
    <loop+>
== 2 loop
for $X:E, $Y:E in zip(&A, <L>):
    <loop+>
== 3 loop also E=&A[$I]; E=&A[$J]
for $I:n in range(len(&A)):
    for $J:n in range($I + 1, len(&A)):
        <loop+>
== 2 loop
for $X:E in &A:
    for $Y:E in <L>:
        <loop+>
== 1 loop also E=&A[$I]; E=&A[$J]
$I:n, $J:n = 0, len(&A) - 1
while $I < $J:
    <tail+>
    $I += 1
    $J -= 1
== 1 loop
for $X:E, $Y:E in zip(&A, &A[1:]):
    <loop+>
== 2 loop also E=&A[$I]
$I:n = 0
while $I < len(&A):
    <tail+>
    $I += 1
== 2 loop
while &A:
    $Y:E = &A.pop()
    <loop+>
== 2 loop
while &A:
    $Y:E = &A.pop(0)
    <loop+>
== 1 loop
while len(&A) > <kk>:
    $Y:E = &A.pop()
    <loop+>
== 1 self
while len(&A) > <k>:
    &A.pop()
== 1 self
while &A and &A[-1] != <V>:
    &A.pop()
== 1 self
while &B:V in &A:
    &A.remove(&B)
== 1 self
while &B:E in &A:
    &A.remove(&B)
== 2 self also E=&A[$I]
for $I:n in range(len(&A)):
    &A[$I] = <e_E+>
== 2 self also E=&A[$I]
for $I:n in range(len(&A)):
    if <b+>:
        &A[$I] = <e_E+>
== 1 self
for $I:n, $Y:E in enumerate(&A):
    &A[$I] = <e_E+>
== 1 self
for $I:n in range(len(&A) - 1):
    if &A[$I] > &A[$I + 1]:
        &A[$I], &A[$I + 1] = &A[$I + 1], &A[$I]
== 1 self
for $I:n in range(len(&A) // 2):
    &A[$I], &A[-$I - 1] = &A[-$I - 1], &A[$I]
== 1 self
for $Y:E in &A[:]:
    if <b+>:
        &A.remove($Y)
== 1 self
for $Y:E in &A.copy():
    if <b+>:
        &A.append(<e_E+>)
== 1 self
for $Y:E in <L>:
    if $Y in &A:
        &A.remove($Y)
== 1 self
for $I:n in range(<km>):
    &A.append(&A.pop(0))
== 1 self
for $I:n in range(<k>):
    &A.insert(0, &A.pop())
== 4 end
for $Y:E in &A:
    if <b+>:
        return <r+>
return <r>
== 4 end
for $I:n, $Y:E in enumerate(&A):
    if <b+>:
        return <r+>
return <r>
== 1 end also E=&A[$I]
for $I:n in range(len(&A)):
    if <b+>:
        return <r+>
return <r>
== 1 end
try:
    return &A[<at>]
except IndexError:
    return <r>
== 1 end
try:
    return &A.index(<V>)
except ValueError:
    return <r>
== 1
try:
    @X:i = &A.index(<V>)
except ValueError:
    @X = <i>
== 1
try:
    @X:E = &A[<at>]
except IndexError:
    @X = <V>
== 1 top self
try:
    &A.remove(<V>)
except ValueError:
    pass
== 1 top self
try:
    &A.remove(<V>)
except ValueError:
    &A.append(<V>)
== 1
@X:L = []
for $Y:E in &A:
    if $Y not in @X:
        @X.append($Y)
== 1
@X:E = &A[0]
for $Y:E in &A:
    if $Y > @X:
        @X = $Y
== 1 alias
@X:L = @Y:L = &A[:<cut>]
@Y.append(<V>)
== 2
@X:t = tuple(&A)
== 1
@X:E = <V>
try:
    @X = &A[<at>]
except IndexError:
    &A.append(<V>)
else:
    &A.append(@X)
== 1 self
try:
    &A.remove(<V>)
except ValueError:
    &A.append(<V>)
finally:
    &A.reverse()

== 2 end
for $Y:E in &A:
    if <b+>:
        return False
return True
== 1 end
for $Y:E in &A:
    if not <b+>:
        return False
return <b>
== 1 end
return <o_b> and <o_b>
== 1
for $Y:E in &A:
    if <b+>:
        break
else:
    &A.append(<V>)
@X:E = &A[-1]

#### li
== 2
@X:dii = <o_dii>
== 1
@X:ls = <o_ls>
== 5
@X:si = set(&A)
== 1
@X:lli = <o_lli>
== 2 self
&A[<at>] += <i>
== 1 self
&A[-1] *= <k>
== 1 self
&A.sort(key=abs)
== 1 self
&A.sort(key=lambda $Y:i: -$Y)
== 1 self
&A.append(sum(&A))
== 1 self
&A.append(len(&A))
== 1 self
&A.extend(range(<n>))
== 1 self
while sum(&A) > <hi>:
    &A.pop()
== 1
@X:i = &A[0]
for $Y:i in &A[1:]:
    @X = abs(@X - $Y)
== 1
@X:i = @Z:i = 0
for $Y:i in &A:
    if <b+>:
        @X += $Y
    else:
        @Z += 1
== 1
@X:i, @Z:i = min(&A), max(&A)
== 1
@X:dii = {}
for $Y:i in &A:
    @X[$Y] = @X.get($Y, 0) + 1
== 1
@X:si = set()
for $Y:i in &A:
    if <b+>:
        @X.add(<i+>)
== 1
@X:si = set(&A)
@X.discard(<v>)
== 1
@X:si = set(&A)
@X.add(<v>)
== 1
@X:si = set(&A)
if &B:v in @X:
    @X.remove(&B)
== 1
@X:dii = {}
for $I:n, $Y:i in enumerate(&A):
    @X.setdefault($Y, $I)

#### ls
== 6
@X:s = <o_s>
== 2
@X:li = <o_li>
== 2
@X:dsi = <o_dsi>
== 1
@X:dis = <o_dis>
== 1
@X:dss = <o_dss>
== 2
@X:ss = set(&A)
== 1 self
&A.sort(key=len)
== 1 self
&A.sort(key=len, reverse=True)
== 1 self
&A.sort(key=str.lower)
== 1 self
&A.append(''.join(&A))
== 1 self
&A[<at>] = &A[<at>].upper()
== 2
@X:dsi = {}
for $Y:s in &A:
    @X[$Y] = @X.get($Y, 0) + 1
== 2
@X:dsl = {}
for $I:n, $Y:s in enumerate(&A):
    @X.setdefault(<e_s+>, []).append($I)
== 1
@X:dsl = {}
for $Y:s in &A:
    if $Y not in @X:
        @X[$Y] = []
    @X[$Y].append(<e_i+>)
== 1
@X:dis = {}
for $Y:s in &A:
    @X[len($Y)] = $Y
== 1
@X:dss = {}
for $Y:s in &A:
    @X.setdefault($Y[:1], $Y)

#### D
== 8 self
&A[<Q>] = <E>
== 3 self
&A[&B:K] = <E>
== 2 self
&A[<Q>] = <e_E>
== 4 self
if &B:K in &A:
    &A[&B] = <E>
== 4 self
if &B:K not in &A:
    &A[&B] = <E>
== 5 self
&A.setdefault(<Q>, <E>)
== 3 self
&A.update({<Q>: <E>})
== 2 self
&A.update(<D>)
== 3 self
&A.pop(<Q>, None)
== 2 self
if &B:K in &A:
    &A.pop(&B)
== 2 self
if &B:K in &A:
    del &A[&B]
== 1 self
del &A[<Q>]
== 4
@X:E = &A.pop(<Q>, <E>)
== 2
@X:E = &A.pop(<Q>)
== 5
@X:E = &A.get(<Q>, <E>)
== 2
@X:E = &A[<Q>]
== 3 top self
@X:K, @Y:E = &A.popitem()
== 1 self
&A.popitem()
== 1 self
if &A:
    &A.popitem()
== 2
@X:D = &A.copy()
@X[<Q>] = <E>
== 2
@X:D = &A.copy()
@X.update(<D>)
== 3
@X:D = <o_D>
== 3
@X:M = <o_M>
== 2
@X:i = <o_i>
== 2
@X:lp = <o_lp>
== 2 self
if <o_b>:
    &A.clear()
== 2 self
if <o_b>:
    <block>
== 1 self
if <o_b>:
    <block>
else:
    <block>
== 5 top
if <o_b>:
    return <r>
== 2 top end
if &B:K in &A:
    return &A[&B]
return <r>
== 2 top end
if <o_b>:
    return <o_M>
return <o_E>
== 7 loop
for $X:K, $Y:E in &A.items():
    <loop+>
== 4 loop also E=&A[$X]
for $X:K in &A:
    <loop+>
== 2 loop
for $Y:E in &A.values():
    <loop+>
== 2 loop also E=&A[$X]
for $X:K in &A.keys():
    <loop+>
== 2 loop also E=&A[$X]
for $X:K in sorted(&A):
    <loop+>
== 1 loop
for $X:K, $Y:E in sorted(&A.items()):
    <loop+>
== 1 loop
for $I:n, $X:K in enumerate(&A):
    <loop+>
== 1 loop
for $X:K in <M>:
    if $X in &A:
        <loop+>
== 1 loop
while &A:
    $X:K, $Y:E = &A.popitem()
    <loop+>
== 3 self also E=&A[$X]
for $X:K in &A:
    &A[$X] = <e_E+>
== 2 self also E=&A[$X]
for $X:K in &A:
    if <b+>:
        &A[$X] = <e_E+>
== 2 self also E=&A[$X]
for $X:K in list(&A):
    if <b+>:
        del &A[$X]
== 2 self also E=&A[$X]
for $X:K in list(&A.keys()):
    if <b+>:
        &A.pop($X)
== 1 self
for $X:K, $Y:E in <D>.items():
    &A[$X] = $Y
== 1 self
for $X:K in <M>:
    &A.setdefault($X, <E>)
== 1 self
for $X:K in <M>:
    &A.pop($X, None)
== 3 end
for $X:K, $Y:E in &A.items():
    if <b+>:
        return <r+>
return <r>
== 1 end also E=&A[$X]
for $X:K in &A:
    if <b+>:
        return <r+>
return <r>
== 1 end
try:
    return &A[<Q>]
except KeyError:
    return <r>
== 1
try:
    @X:E = &A[<Q>]
except KeyError:
    @X = <E>
== 1 end
try:
    del &A[<Q>]
except KeyError:
    return <r>
return &A

#### dsi
== 3 self
&A[&B:key] = &A.get(&B, 0) + <i>
== 3 self
&A[&B:key] = &A.get(&B, 0) + <i>
== 2 self
if &B:key in &A:
    &A[&B] += <i>
else:
    &A[&B] = <i>
== 2 self
for $X:s in &A:
    &A[$X] += <i>
== 1 self
&A[max(&A, key=&A.get)] = <i>
== 1
@X:s = max(&A, key=&A.get)
== 2
@X:ls = sorted(&A, key=lambda $Y:s: &A[$Y])
== 2
@X:dis = <o_dis>
== 1
@X:li = <o_li>
== 1
@X:s = <o_s>
== 1
@X:dsl = {}
for $X:s, $Y:i in &A.items():
    @X.setdefault(<e_s+>, []).append($Y)

#### dss
== 2
@X:s = <o_s>
== 2
@X:ls = <o_ls>
== 2 self
if &B:key in &A:
    &A[&B] += <s>
== 1
@X:s = &A.get(<key>, <word>)

#### dis
== 2
@X:ls = <o_ls>
== 2
@X:s = <o_s>
== 1
@X:dsi = <o_dsi>

#### dii
== 2
@X:li = <o_li>
== 2 self
&A[&B:ki] = &A.get(&B, 0) + 1
== 1 self
for $X:i in &A:
    &A[$X] += <i>
== 1 self
&A[<ki>] = len(&A)

#### dsl
== 5 self
&A.setdefault(<key>, []).append(<v>)
== 3 self
if &B:key not in &A:
    &A[&B] = []
&A[&B].append(<v>)
== 3 self
&A[<key>] = [<v>, <v>]
== 2 self
&A[&B:key] = &A.get(&B, []) + [<v>]
== 2 self
if &B:key in &A:
    &A[&B].extend(<li>)
== 2 self
for $Y:li in &A.values():
    $Y.append(<v>)
== 2 self
for $Y:li in &A.values():
    $Y.sort()
== 2
@X:li = <o_li>
== 2
@X:i = <o_i>
== 3
@X:dsi = <o_dsi>
== 2
@X:dsl = <o_dsl>
== 5 loop
for $X:s, $Y:li in &A.items():
    <loop+>
== 2 loop
for $Y:li in &A.values():
    <loop+>
== 1 loop
for $X:s in &A:
    for $Y:i in &A[$X]:
        <loop+>
== 2 top
if <o_b>:
    return <r>
== 1 self
&A.pop(<key>, None)
== 1 end
for $X:s, $Y:li in &A.items():
    if <b+>:
        return <r+>
return <r>

#### lli
== 4 self
&A.append([<v>, <v>])
== 2 self
&A.reverse()
== 1 self
&A.sort(key=len)
== 2 self
&A.pop(<at>)
== 3 self
&A[<at>].append(<v>)
== 1 self
&A[0], &A[-1] = &A[-1], &A[0]
== 1 self
&A.insert(0, <li>)
== 3
@X:li = <o_li>
== 3
@X:lli = <o_lli>
== 2
@X:i = <o_i>
== 6 loop
for $Y:li in &A:
    <loop+>
== 3 loop
for $I:n, $Y:li in enumerate(&A):
    <loop+>
== 4 loop
for $X:li in &A:
    for $Y:i in $X:
        <loop+>
== 2 loop also i=&A[$I][$J]
for $I:n in range(len(&A)):
    for $J:n in range(len(&A[$I])):
        <loop+>
== 2 self
for $Y:li in &A:
    $Y.append(<e_i+>)
== 2 self
for $Y:li in &A:
    $Y.reverse()
== 1 self
for $Y:li in &A:
    if $Y:
        $Y.pop()
== 1 self also li=&A[$I]
for $I:n in range(len(&A)):
    &A[$I] = <e_li+>
== 2 top
if <o_b>:
    return <r>
== 2 end
for $Y:li in &A:
    if <b+>:
        return <r+>
return <r>
== 1 self
del &A[<at>]
== 1
@X:lli = []
for $Y:li in &A:
    @X.append(<e_li+>)

#### t
== 3
@X:i = <o_i>
== 4
@X:li = <o_li>
== 4
@X:t = <o_t>
== 3 self
&A = <o_t>
== 2 top
@X:i, *@Y:li = &A
== 4 loop
for $Y:i in &A:
    <loop+>
== 2 loop
for $I:n, $Y:i in enumerate(&A):
    <loop+>
== 3 top
if <o_b>:
    return <r>
== 1 self
&A += (<v>,)

#### ts
== 3
@X:s = <o_s>
== 2
@X:i = <o_i>
== 4
@X:ls = <o_ls>
== 2 self
&A = <o_ts>
== 2 top
@X:s, *@Y:ls = &A
== 4 loop
for $Y:s in &A:
    <loop+>
== 2 top
if <o_b>:
    return <r>

#### lp
== 5 loop
for $X, $Y in &A:
    <loop+>
== 3
@X:lp = <o_lp>
== 1 self
&A.reverse()
== 1 self
&A.sort()

#### si
== 3 self
&A.add(<v>)
== 2 self
&A.discard(<v>)
== 1 self
if &B:v in &A:
    &A.remove(&B)
== 2 self
&A |= {<v>, <v>}
== 1 self
&A &= set(<li>)
== 2 self
&A -= {<v>}
== 2 self
&A.update(<li>)
== 5
@X:li = <o_li>
== 2
@X:si = <o_si>
== 3 loop
for $Y:i in sorted(&A):
    <loop+>
== 2
@X:i = <o_i>

#### ss
== 3 self
&A.add(<word>)
== 2 self
&A.discard(<ch>)
== 1 self
if &B:ch in &A:
    &A.remove(&B)
== 1 self
&A |= set(<s>)
== 1 self
&A &= set(<s>)
== 2 self
&A -= set(<chars>)
== 2 self
&A.update(<s>)
== 5
@X:ls = <o_ls>
== 2
@X:ss = <o_ss>
== 3
@X:s = <o_s>
== 3 loop
for $Y:s in sorted(&A):
    <loop+>
== 2
@X:i = <o_i>

#### f
== 3
@X:f = <o_f>
== 3 self
&A += <f>
== 2 self
&A *= <k>
== 2
@X:i = <o_i>
== 2
@X:s = <o_s>
== 2 top
if <o_b>:
    return <r>

#### b
== 5 top self
if <o_b>:
    <block>
== 4 top self
if &A:
    <block>
else:
    <block>
== 4 top
if &A:
    return <r>
== 1 top self
if not &A:
    <block>
"""

# The body of a loop; <block_u>: a change of what it accumulates.
BODIES = r"""
== 16
<block_u>
== 26
if <b>:
    <block_u>
== 18
if <b>:
    <block_u>
else:
    <block_u>
== 5
if <b>:
    <block_u>
elif <b>:
    <block_u>
== 4
if <b>:
    <block_u>
elif <b>:
    <block_u>
else:
    <block_u>
== 6 continue
if <b>:
    continue
<block_u>
== 5
if <b>:
    break
<block_u>
== 2
<block_u>
if <b>:
    break
== 2
<block_u>
<block_u>
== 3
if <b> and <b>:
    <block_u>
== 2
if <b> or <b>:
    <block_u>
== 1
if not <b>:
    <block_u>
== 2
if <b>:
    if <b>:
        <block_u>
== 2
$T:i = <e_i>
<block_u+>
== 1
$T:s = <e_s>
<block_u+>
== 2
if <b>:
    <block_u>
    continue
<block_u>
== 1
if <b>:
    <block_u>
    break
== 1
if <b>:
    pass
else:
    <block_u>
== 3
if <b>:
    return <r>
<block_u>
== 4
for $J:n in range(<km>):
    <block_u+>
== 2
for $Y:c in <chars>:
    if <b+>:
        <block_u+>
== 1
try:
    <block_u>
except ValueError:
    <block_u>
== 1
if ($T:i := <e_i>) > <i>:
    <block_u+>
"""

# How a loop changes what it accumulates, by the type of that.
UPDATES = r"""
#### i
== 9
&A += 1
== 8
&A += <i>
== 5
&A += <e_i>
== 2
&A -= <i>
== 2
&A -= 1
== 2
&A = max(&A, <i>)
== 1
&A = min(&A, <i>)
== 1
&A = (&A * <k> + <i>) % <m>
== 1
&A = <i> - &A
== 1
&A *= -1
== 1
&A = &A + <i> if <b> else &A
#### s
== 7
&A += <s>
== 6
&A += <e_s>
== 3
&A = <s> + &A
== 2
&A = <e_s> + &A
== 1
&A += <s> + <sep>
== 1
&A = &A[1:] + <s>
== 1
&A = &A.replace(<ch>, <fill1>)
== 1
&A = &A[::-1] + <s>
== 1
&A += <fill>
#### L
== 10
&A.append(<E>)
== 9
&A.append(<e_E>)
== 3
&A.insert(0, <E>)
== 1
&A.insert(0, <e_E>)
== 1
&A.insert(len(&A) // 2, <E>)
== 2
&A += [<E>]
== 1
&A.extend([<E>, <V>])
== 1
&A.extend([<E>] * <km>)
== 1
&A = [<E>] + &A
== 1
if &A:
    &A.pop()
== 1
if <E> not in &A:
    &A.append(<E>)
== 1
&A.append(<V>)
== 1
&A.reverse()
#### lli
== 4
&A.append(<e_li>)
== 2
&A.append(<li>)
== 1
&A.insert(0, <li>)
== 1
&A.append([<e_i>, <e_i>])
#### dsi
== 6
&A[&B:s] = &A.get(&B, 0) + 1
== 4
if &B:s in &A:
    &A[&B] += 1
else:
    &A[&B] = 1
== 5
&A[&B:s] = <i>
== 4
&A[<e_s>] = <e_i>
== 2
&A.setdefault(&B:s, 0)
&A[&B] += <i>
== 2
&A.update({&B:s: <i>})
== 2
&A.setdefault(&B:s, <i>)
== 2
if &B:s not in &A:
    &A[&B] = 0
&A[&B] += <i>
== 1
&A[&B:key] = &A.get(&B, 0) + <i>
#### dii
== 5
&A[&B:i] = &A.get(&B, 0) + 1
== 3
if &B:i in &A:
    &A[&B] += 1
else:
    &A[&B] = 1
== 4
&A[&B:i] = <e_i>
== 2
&A.setdefault(<e_i>, <i>)
== 1
&A.update({&B:i: <i>})
#### dss
== 4
&A[&B:s] = <e_s>
== 2
&A[<e_s>] = <s>
== 2
&A[&B:s] = &A.get(&B, '') + <s>
== 1
&A.setdefault(&B:s, <s>)
#### dis
== 4
&A[<e_i>] = <s>
== 2
&A[<i>] = <e_s>
== 2
&A.setdefault(<e_i>, <s>)
#### dsl
== 4
&A.setdefault(<s>, []).append(<i>)
== 2
&A.setdefault(<e_s>, []).append(<i>)
== 3
if &B:s not in &A:
    &A[&B] = []
&A[&B].append(<i>)
#### ss
== 4
&A.add(<s>)
== 2
&A.add(<e_s>)
== 1
&A.discard(<s>)
#### si
== 4
&A.add(<i>)
== 3
&A.add(<e_i>)
== 1
&A.discard(<i>)
"""

# What a loop starts from.
FIRST = {
    "i": (("0", 9), ("1", 1), ("<i>", 1), ("-1", 1)),
    "s": (("''", 12), ("<word>", 1)),
    "li": (("[]", 12), ("[0]", 1), ("[<v>]", 1)),
    "ls": (("[]", 14), ("[<word>]", 1), ("['']", 1)),
    "lli": (("[]", 1),),
    "dsi": (("{}", 9), ("dict()", 1)),
    "dii": (("{}", 1),),
    "dss": (("{}", 1),),
    "dis": (("{}", 1),),
    "dsl": (("{}", 1),),
    "ss": (("set()", 1),),
    "si": (("set()", 1),),
}

# What a loop accumulates, by what it walks through.
GATHERS = {
    "c": _each("s s s s s s s s i i i i i ls ls ls dsi dsi li dss ss dsl"),
    "s": _each("ls ls ls ls ls s s s i i i dsi dsi li dss dsl dis ss"),
    "i": _each("li li li li li i i i i i ls s dii dii si li"),
    "n": _each("li li li i i i s ls s dii"),
    "li": _each("li li li i i i ls dii lli"),
    "t": _each("li i"),
}

# The last line, by type of what is returned.
RESULTS = r"""
#### s
== 14
return &A
== 4
return <o_s>
== 1
return <o_ls>
== 1
return <o_i>
== 4
return <o_b>
#### L
== 12
return &A
== 2
return <o_L>
== 2
return <o_i>
== 1
return <o_E>
== 2
return <o_b>
#### ls
== 15
return <o_s>
#### li
== 4
return <o_s>
#### i
== 12
return &A
== 2
return <o_i>
== 3
return <o_s>
== 2
return <o_b>
#### D
== 8
return &A
== 2
return <o_lp>
== 2
return <o_M>
== 1
return <o_i>
== 1
return <o_D>
#### dsl
== 4
return &A
== 1
return <o_dsi>
== 1
return <o_li>
#### lli
== 6
return &A
== 1
return <o_li>
== 1
return <o_i>
#### si
== 3
return <o_li>
== 1
return <o_i>
#### ss
== 3
return <o_ls>
== 1
return <o_i>
== 2
return <o_s>
#### t
== 3
return &A
== 1
return <o_i>
#### ts
== 3
return &A
== 1
return <o_s>
#### lp
== 1
return &A
#### f
== 3
return &A
== 1
return <o_s>
#### b
== 3
return &A
== 1
return <o_b>
#### sd
== 2
return <o_i>
== 1
return <o_s>
"""

# The last line of a program that has nothing else, by type of the first parameter: `<e_t>` with a deeper expression.
WHOLE = {
    "s": _each("s s s s s s ls ls i i b b b dsi li"),
    "li": _each("li li li li i i i b s dii lp t"),
    "ls": _each("ls ls ls s s s i li dsi b lp"),
    "dsi": _each("dsi dsi ls lp i dis li s"),
    "dss": _each("dss ls s lp b"),
    "dis": _each("dis li ls s lp"),
    "dii": _each("dii li i lp"),
    "dsl": _each("dsl dsi li ls i"),
    "lli": _each("lli lli li li i"),
    "i": _each("i s li ls"),
    "t": _each("t li i"),
    "ts": _each("ts s ls i"),
    "sd": _each("i li s"),
}

# Two values that are left at the end, A and B.
PAIRS = r"""
#### s s
== 3
return &A + &B
== 1
return &B + &A
== 1
return f'{&A} {&B}'
== 1
return f'{&B}-{&A}'
== 1
return [&A, &B]
== 1
return &B.replace(&A, '')
== 1
return &A == &B
#### i i
== 3
return &A + &B
== 2
return &A - &B
== 1
return &A * &B
== 1
return max(&A, &B)
== 1
return &B if &A > 0 else -&B
== 1
return [&A, &B]
#### s i
== 2
return f'{&A}{&B}'
== 1
return &A + str(&B)
== 2
return &A[&B:]
== 1
return &A[:&B]
== 1
return str(&B) + &A
#### i s
== 2
return f'{&A}:{&B}'
== 2
return &B[&A:]
== 1
return &B + str(&A)
== 1
return len(&B) - &A
#### L L
== 3
return &A + &B
== 1
return [&B, &A]
== 1
return list(zip(&A, &B))
#### li i
== 2
return &A + [&B]
== 1
return &A.count(&B)
== 1
return &B in &A
#### ls s
== 4
return &B.join(&A)
== 1
return &A + [&B]
#### s ls
== 3
return &A.join(&B)
== 1
return &B + [&A]
#### i li
== 2
return &B + [&A]
== 1
return &A in &B
== 1
return sum(&B) + &A
#### ls i
== 2
return &A[:&B]
== 1
return &A[&B:]
== 1
return len(&A) - &B
== 1
return f'{&B}: {len(&A)}'
#### i ls
== 1
return &B[:&A]
== 1
return ''.join(&B) + str(&A)
== 1
return len(&B) * &A
#### s li
== 2
return &A + str(&B)
== 1
return &A * len(&B)
== 1
return f'{&A}{sum(&B)}'
#### li s
== 2
return &B.join(map(str, &A))
== 1
return len(&A) + len(&B)
#### li ls
== 1
return dict(zip(&B, &A))
== 1
return len(&A) == len(&B)
== 1
return [str(&A), *&B]
#### ls li
== 1
return dict(zip(&A, &B))
== 1
return list(zip(&A, &B))
== 1
return len(&A) > len(&B)
#### dsi s
== 3
return &A.get(&B, 0)
== 2
return &B in &A
#### s dsi
== 3
return &B.get(&A, -1)
== 2
return &A not in &B
#### dss s
== 3
return &A.get(&B, '')
== 1
return &B in &A
#### s dss
== 3
return &B.get(&A, &A)
#### dis i
== 3
return &A.get(&B)
== 1
return &B in &A
#### i dis
== 3
return &B.get(&A, '')
#### dii i
== 3
return &A.get(&B, 0)
#### i dii
== 3
return &B.get(&A, 0)
#### i dsi
== 2
return &A + sum(&B.values())
== 1
return [$X for $X in &B if &B[$X] > &A]
#### dsi i
== 2
return {$X: $Y * &B for $X, $Y in &A.items()}
== 1
return len(&A) + &B
#### b s
== 2
return &B if &A else ''
== 1
return f'{&B} {&A}'
#### b i
== 2
return &B if &A else -&B
#### s b
== 2
return &A.upper() if &B else &A
"""

# Names ---------------------------------------------------------------------------------------------------------------

PARAMETERS = {
    "s": _each("text s string text s word name line phrase txt message sentence value input_str string st content"),
    "sd": _each("number digits num s code string"),
    "ch": _each("char char c ch letter character symbol x"),
    "sep": _each("sep delimiter separator delim sep d"),
    "sub": _each("sub substring pattern substr part search target old"),
    "pre": _each("prefix prefix start pre p"),
    "suf": _each("suffix suffix end ending suf"),
    "fill": _each("fill fillchar pad char filler padding"),
    "chars": _each("chars letters characters vowels allowed to_remove stop"),
    "word": _each("word item target new value w extra element default"),
    "key": _each("key key k name item lookup"),
    "ki": _each("key k number key num"),
    "w": _each("width size length n width total"),
    "at": _each("index idx i pos position n"),
    "cut": _each("n k start limit end idx cut count size"),
    "n": _each("n count k times limit num amount"),
    "v": _each("x value item target num n element val number"),
    "i": _each("n num x number value a b limit m threshold count"),
    "li": _each("nums numbers lst array arr values xs items data lst elements nums"),
    "ls": _each("words items strings names lst tokens list_ values lines array"),
    "lli": _each("matrix grid rows lists groups data"),
    "dsi": _each("d dic counts scores data mapping dictionary stock prices my_dict"),
    "dss": _each("d dic mapping table data codes dictionary aliases"),
    "dis": _each("d dic names labels mapping dictionary data"),
    "dii": _each("d dic data counts table graph"),
    "dsl": _each("d groups data graph dic tags"),
    "t": _each("tup values t nums pair point"),
    "ts": _each("tup words names t parts"),
    "b": _each("flag reverse strict keep upper"),
    "f": _each("x ratio price rate value"),
}

LASTING = {
    "s": _each("result text res out output new_text s ans string new word part prefix first last head rest t"),
    "i": _each("count total n res result length idx size pos score k num m acc ans i value c"),
    "li": _each("result nums res out values new numbers arr output ans indices lengths lst temp"),
    "ls": _each("result words parts res out items tokens output lst new pieces chunks letters ans lines"),
    "lli": _each("result grid rows groups pairs matrix res"),
    "dsi": _each("counts d result freq res seen mapping counter table"),
    "dss": _each("mapping d result table res pairs"),
    "dis": _each("mapping d by_length result inverse table"),
    "dii": _each("counts d result freq res seen positions"),
    "dsl": _each("groups d index result buckets positions"),
    "si": _each("seen unique s found values"),
    "ss": _each("seen letters unique chars vocab found"),
    "t": _each("pair result t tup bounds"),
    "ts": _each("result t tup parts"),
    "lp": _each("pairs items result entries ranked"),
    "b": _each("found flag ok valid"),
    "f": _each("ratio mean avg rate"),
    "*": _each("tmp obj other"),
}

PASSING = {
    "c": _each("c char ch letter c char x"),
    "s": _each("word w item part s name token x line key"),
    "i": _each("x num n i val item value e number v"),
    "n": _each("i i i j idx k index i"),
    "li": _each("row sub group r lst xs"),
    "ls": _each("chars letters lst parts"),
    "t": _each("pair t col row"),
    "lp": _each("x kv item pair p"),
    "": _each("a b left right lo hi"),
    "*": _each("x y item e"),
}

# Values --------------------------------------------------------------------------------------------------------------

WORDS = _each("""
    apple banana cherry grape lemon mango orange peach pear plum kiwi melon olive fig date red green blue yellow black
    white brown pink cat dog bird fish horse tiger lion mouse rabbit snake wolf bear duck goat sheep tree leaf river
    stone cloud rain snow wind storm summer winter spring night morning day week month year hello world python code data
    file test user admin guest name value key item list table chair window door house street city road bridge garden
    music song dance book page letter paper pencil school teacher student king queen castle dragon magic silver gold
    happy sad quick slow small big open close start stop left right up down north south east west one two three four
    five six seven eight nine ten alpha beta gamma delta omega level noon radar civic kayak banana mississippi
    committee address success coffee balloon pepper bubble zoom queue rhythm a an the of to in is it on at by or and
    not for with from this that foo bar baz qux spam eggs ham egg tea pie sun sky sea ice map net box cup hat pen
""")
CAPITAL = _each(
    "Alice Bob Carol Dave Eve Frank Paris London Rome Tokyo Monday Friday June Hello World Python Error OK ID"
)
SEPARATORS = (" ", ",", "-", "_", ":", ";", "/", ".", "|", ", ", "=", "+", "&", "#", "::", " - ", "\n", "--", "*")
FILLS = tuple("*-0.#_ x+=~!$@")
CHAR_SETS = (
    "aeiou",
    "abc",
    "xyz",
    ".,!?",
    " ",
    "-_",
    "0123",
    "*#",
    "aei",
    "lo",
    "()",
    "st",
    "ABC",
    "!",
    "-",
    " .",
    "er",
)
TRANSLATIONS = (
    ("abc", "xyz"),
    ("aeiou", "12345"),
    ("lo", "01"),
    ("abc", "ABC"),
    ("-", "_"),
    (" ", "-"),
    ("ol", "lo"),
    ("ae", "43"),
    ("est", "357"),
    (".,", ";:"),
)
PREFIXES = _each("un re pre in a b s the ab co de # - x no on ca st be he w p Mr 1 / @ A T")
SUFFIXES = _each("ing ed s es ly er y e .txt .py ! . ? n st on t ow le ! r a able .com 0")
SUBS = _each("an in er th on ab aa ba ll oo the is or le ra st -- ab 1 12 00 aba na ow ee .. xy as")
LETTERS = "etaoinsrhldcumfpgwybvk"
ACCENTED = ("é", "ü", "ñ", "ß", "ç", "Ω", "я", "日本", "Å", "ö", "½", "²", "ı", "ﬁ", "→", "٣")
EXTENSIONS = _each("txt py csv json md png tar.gz log")
PUNCTUATION = (".", "!", "?", "...", ",", "")
MIXED = LETTERS + "0123456789" + LETTERS.upper()[:6] + "!@#$%^&*()-_=+" + " "
QUOTED = ("it's {}", "'{}'", '"{}"', "{}\\n", "C:\\{}", 'say "{}"', "don't {}", "\\{}")
