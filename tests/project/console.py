"""Command lines of documents, as modules and their arguments."""

from addend.__main__ import COMMANDS


__all__ = ["module_arguments"]


def module_arguments(words):
    """Module and arguments of a command line of Python or of the console script."""
    if words[0] == "addend":
        module, prefix, _ = COMMANDS[words[1]]
        return module.removesuffix(".__main__"), [*prefix, *words[2:]]
    at = words.index("-m")
    return words[at + 1], words[at + 2 :]
