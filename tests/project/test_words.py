"""One noun, one meaning: words that were replaced are in no document, help text or file name.

`WORDS` says what is written in their place.
"""

import re

import pytest

from addend import __main__ as addend
from tests.commands import COMMANDS, HELPERS, parsers, top_parser
from tests.documents import DOCUMENTS


#: Words that are no longer used, and what is.
WORDS = {
    "walker": "address generator",
    "finder": "event encoder",
    "dealer": "job dispatcher",
    "shadows": "output holding registers",
    "fours": "plane of weight 4, or most significant bits",
    "capacities": "core configuration",
    "census": "activity statistics",
    "rival": "baseline",
    "held-back": "test set",
    "given_up": "aborted",
    "damp": "initial scale",
    "bitplane": "bit-serial",
    "graded": "2-bit-serial",
}

WORD = re.compile(
    "|".join(
        rf"(?<![a-z])(?:{re.escape(word)}s?|{re.escape(word.replace('-', ' '))})(?![a-z])"
        for word in WORDS
    ),
    re.IGNORECASE,
)
#: The files of components, which documents name by their path.
COMPONENT = re.compile(r"\bhw/rtl/\w+\.\w+")
#: A value that is said to be an alias.
ALIAS = re.compile(r"\S+ \(?alias of ")


def old_words(text):
    """Words of `WORDS` in a text, but for paths of components and what is called an alias."""
    text = ALIAS.sub("", " ".join(text.split()))
    return {found.lower().replace(" ", "-") for found in WORD.findall(COMPONENT.sub("", text))}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The walker and two Finders.", {"walker", "finders"}),
        ("reads `hw/rtl/walker.py`, but not walkers", {"walkers"}),
        ("held back, held-back", {"held-back"}),
        ("upgraded, dampens, foursome", set()),
        ("`--spike-code graded` (alias of 2-bit-serial)", set()),
        ("(graded: alias\n   of 2-bit-serial)", set()),
        ("graded, and an alias of it", {"graded"}),
        ("tb_walker, given_up_by", {"walker", "given_up"}),
    ],
)
def test_old_words_are_found(text, found):
    assert old_words(text) == found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_use_the_words_of_the_field(project_root, name):
    assert old_words((project_root / name).read_text()) == set()


@pytest.mark.parametrize("module", [*COMMANDS, *HELPERS])
def test_help_texts_use_the_words_of_the_field(module, monkeypatch):
    found = parsers(module, monkeypatch)
    wrong = {name: old_words(parser.format_help()) for name, parser in found.items()}
    wrong["top"] = old_words(top_parser(module, monkeypatch).format_help())
    assert {name: words for name, words in wrong.items() if words} == {}


def test_the_help_of_the_console_script_uses_the_words_of_the_field():
    assert old_words(addend.usage()) == set()


def test_names_of_files_use_the_words_of_the_field(project_root):
    found = {
        path.relative_to(project_root).as_posix()
        for package in ("golden", "train", "hw", "sim", "tests", "scripts")
        for path in (project_root / package).rglob("*.py")
        if old_words(path.stem) and path.parent != project_root / "hw" / "rtl"
    }
    assert not found
