def balanced(text):
    """Whether the brackets of a text match."""
    stack = []
    pairs = {")": "(", "]": "["}
    for letter in text:
        if letter in "([":
            stack.append(letter)
        elif letter in pairs and (not stack or stack.pop() != pairs[letter]):
            return False
    return not stack
