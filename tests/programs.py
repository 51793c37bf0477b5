"""Small programs that many tests share: name -> (source, call)."""

from __future__ import annotations

PROGRAMS: dict[str, tuple[str, str]] = {
    "loop": (
        '''def squares(numbers):
    """Squares of the even numbers. Odd ones are left out."""
    result = []
    for n in numbers:
        if n % 2 == 0:
            result.append(n * n)
    return result
''',
        "squares([1, 2, 4])",
    ),
    "while_else": (
        """def halve(n):
    steps = 0
    while n > 1:
        n //= 2
        steps += 1
    else:
        steps = -steps
    return steps
""",
        "halve(5)",
    ),
    "recursion": (
        """def depth(tree):
    if not isinstance(tree, list):
        return 0
    return 1 + max([depth(t) for t in tree], default=0)
""",
        "depth([1, [2, []]])",
    ),
    "exception": (
        """def parse(texts):
    total = 0
    for text in texts:
        try:
            total += int(text)
        except ValueError as error:
            print('skipped', error)
            continue
        finally:
            total += 100
    return total
""",
        "parse(['1', 'x', '3'])",
    ),
    "raises": ("def first(items):\n    return items[0] + 1\n", "first([])"),
    "class": (
        """class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)
        return self

def f(values):
    stack = Stack()
    for value in values:
        stack.push(value)
    return stack.items[::-1]
""",
        "f('ab')",
    ),
    "text": (
        """def clean(text, mark='`'):
    words = text.strip().split()
    key = max(words, key=len)
    return f"{mark}{key.upper()!r:>8}{mark}" if len(words) > 1 else mark * 2
""",
        "clean('  a `b` \\n c ')",
    ),
    "match": (
        """def kind(shape):
    match shape:
        case {'r': r}:
            return 'circle', r
        case [a, b] if a == b:
            return 'square', a
        case [a, *_]:
            return 'other', a
    return None
""",
        "kind([3, 4])",
    ),
    "generator": (
        """def runs(items):
    last = None
    for item in items:
        if item != last:
            yield item
        last = item

def f(items):
    return list(runs(items))
""",
        "f([1, 1, 2])",
    ),
    "alias": (
        """def f(rows):
    first = rows[0]
    first.append(9)
    (a, b), *rest = enumerate(rows)
    return rows, b is first, len(rest)
""",
        "f([[1], [2]])",
    ),
    "nothing": ("def f(x):\n    x.sort(reverse=True)\n", "f([1, 2])"),
}
