"""A place in a pattern that is being read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Scanner:
    """``at`` is the index of the next character."""

    pattern: str
    at: int = 0

    def rest(self) -> str:
        """What has not been read yet."""
        return self.pattern[self.at :]

    def peek(self, count: int = 1) -> str:
        """The next characters, as far as there are any."""
        return self.pattern[self.at : self.at + count]

    def taken(self, text: str) -> bool:
        """Whether ``text`` comes next; if so it is consumed."""
        if self.pattern.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def next(self) -> str:
        """The next character. Raises ValueError at the end."""
        if self.at >= len(self.pattern):
            raise ValueError("it ends in the middle")
        self.at += 1
        return self.pattern[self.at - 1]

    def until(self, end: str) -> str:
        """The text before ``end``, which is consumed too. Raises ValueError if there is none."""
        stop = self.pattern.find(end, self.at)
        if stop < 0:
            raise ValueError(f"'{end}' is missing")
        text, self.at = self.pattern[self.at : stop], stop + len(end)
        return text

    def hexadecimal(self, digits: int) -> int:
        """A number of exactly so many digits. Raises ValueError."""
        text = self.peek(digits)
        self.at += digits
        if len(text) < digits:
            raise ValueError("it ends in the middle")
        return int(text, 16)
