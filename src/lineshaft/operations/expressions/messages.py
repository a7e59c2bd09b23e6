"""What is wrong with an expression, told with the place in its text."""

from lineshaft.core.errors import Invalid

SHOWN_CHARS = 60
"""Characters of the line that are shown around the place."""


class WrongExpression(Invalid):
    """An expression that cannot be compiled."""

    def __init__(self, text: str, span: tuple[int, int], message: str, *, remedy: str = "") -> None:
        at, end = span
        super().__init__(f"{message}, at character {at + 1}", remedy=remedy)
        self.text = text
        """The whole expression."""
        self.at = at
        """Where the wrong part begins, counted from 0."""
        self.end = max(end, at + 1)
        """Where it ends; the character there is no part of it."""

    @property
    def shown(self) -> str:
        """Two lines: the line of the expression, and carets beneath the wrong part."""
        begin = self.text.rfind("\n", 0, self.at) + 1
        stop = self.text.find("\n", self.at)
        stop = len(self.text) if stop < 0 else stop
        left = max(begin, self.at - SHOWN_CHARS)
        right = min(stop, self.at + SHOWN_CHARS)
        carets = "^" * max(min(self.end, right) - self.at, 1)
        return f"{self.text[left:right]}\n{' ' * (self.at - left)}{carets}"
