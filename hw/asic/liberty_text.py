"""The grammar of Liberty: groups, attributes, and where a text breaks it."""

import re

from golden.data.reading import InputError


__all__ = ["Reader"]


#: Tokens: comments and continued lines are passed over, a text is one token.
_TOKEN = re.compile(
    r"(?P<skip>\s+|/\*.*?\*/|//[^\n]*|\\\r?\n)"
    r'|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<mark>[{}();:,])"
    r'|(?P<word>[^\s{}();:,"/\\]+(?:/[^\s{}();:,"/*\\]+)*|[/\\])',
    re.DOTALL,
)

#: What may stand behind a value that the end of its line ends.
_LINE_END = re.compile(r"(?:[^\S\n]|/\*.*?\*/|//[^\n]*)*\n", re.DOTALL)


class Reader:
    """Groups and attributes of a text in Liberty's grammar.

    A member is ``(name, value, None)`` for an attribute and ``(name, arguments, members)`` for a
    group. What lies inside the groups of a pin, such as tables of delays, is passed over.
    """

    def __init__(self, text, path):
        self.text, self.path, self.at = text, path, 0
        self.here = ""
        self.advance()

    def advance(self):
        """Takes the next token; an empty one at the end."""
        while self.at < len(self.text):
            found = _TOKEN.match(self.text, self.at)
            if not found:
                raise self.error(f"must not hold {self.text[self.at]!r} here")
            self.at = found.end()
            if found.lastgroup != "skip":
                self.here = found[0]
                return
        self.here = ""

    def error(self, rule):
        """The sentence of a broken file, with its line."""
        line = self.text.count("\n", 0, self.at) + 1
        return InputError(f"{self.path} must be a Liberty, and {rule}, in line {line}")

    def expect(self, mark):
        """Passes over a mark."""
        if self.here != mark:
            there = repr(self.here) if self.here else "its end"
            raise self.error(f"have {mark!r} where it has {there}")
        self.advance()

    def library(self):
        """Name and members of the one group that the file is, to its last word."""
        if self.here != "library":
            raise self.error("begin with 'library'")
        self.advance()
        name = [*self.arguments(), ""][0]
        members = self.members(2)
        if self.here:
            raise self.error("end with the brace that closes the library")
        return name, members

    def arguments(self):
        """What stands in parentheses."""
        self.expect("(")
        found = []
        while self.here != ")":
            if self.here in ("", "{", "}", ";"):
                self.expect(")")
            if self.here != ",":
                found.append(self.here.strip('"'))
            self.advance()
        self.advance()
        return found

    def members(self, depth):
        """Members of a group, of which groups are kept so deep."""
        self.expect("{")
        found = []
        while self.here != "}":
            name = self.here
            if not name or name in "{}();:,":
                self.expect("}")
            self.advance()
            if self.here == ":":
                found.append((name, self.value(), None))
                continue
            arguments = self.arguments()
            if self.here == "{":
                inside = self.members(depth - 1) if depth >= 0 else self.passed_over()
                found.append((name, arguments, inside))
            elif self.here == ";":
                self.advance()
        self.advance()
        return found

    def value(self):
        """What stands behind a colon, up to a semicolon or, where there is none, the line's end."""
        self.advance()
        words = []
        while self.here not in ("", ";", "}", "{"):
            words.append(self.here.strip('"'))
            newline = _LINE_END.match(self.text, self.at)
            self.advance()
            if newline and self.here != ";":
                return " ".join(words)
        if self.here in ("", "{"):
            self.expect(";")
        if self.here == ";":
            self.advance()
        return " ".join(words)

    def passed_over(self):
        """Nothing of a group but its end."""
        level = 0
        while True:
            level += (self.here == "{") - (self.here == "}")
            if not self.here:
                self.expect("}")
            self.advance()
            if not level:
                return []
