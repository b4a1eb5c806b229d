"""The documents of the project, and what is written in them."""

import re


__all__ = ["DOCUMENTS", "anchors", "commands", "links", "spans", "tables"]


DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/checkpoints.md",
    "docs/data.md",
    "docs/decisions.md",
    "docs/format.md",
    "docs/own-networks.md",
    "docs/results.md",
    "docs/training.md",
    "docs/usage.md",
)

_PROGRAMS = r"(?:python -m|torchrun|make|addend) "


def commands(text):
    """Indented command lines of a page, continued ones joined, without what stands behind ``#``."""
    joined = re.sub(r" \\\n +", " ", text)
    found = re.findall(rf"^    ({_PROGRAMS}.+)$", joined, re.MULTILINE)
    return [re.sub(r"\s+#.*", "", line) for line in found]


def spans(text):
    """What stands between single back-quotes outside of fenced and indented blocks."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^    .*$", "", prose, flags=re.MULTILINE)
    return [re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", prose)]


def links(text):
    """Targets of the links and pictures of a page."""
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(text):
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tables(text):
    """Tables of a page: a list of rows each, and each row a list of cells."""
    found, rows = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif rows:
            found.append(rows)
            rows = []
    return found
