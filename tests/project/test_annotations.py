"""Public functions of golden and addend have types, those of constructors and methods included.

Ruff's flake8-annotations could say so only of all functions: its rule of parameters does not tell
private functions from public ones. Whether a type is right is left to a type checker.
"""

import ast

import pytest


PACKAGES = ("golden", "addend")


def is_public(name):
    """Whether a name is for others: Python itself calls those with two underscores."""
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def public_functions(body, prefix=""):
    """Name and node of each public function in a list of statements, and in its public classes."""
    for node in body:
        match node:
            case ast.ClassDef(name=name) if is_public(name):
                yield from public_functions(node.body, f"{prefix}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if is_public(name):
                yield f"{prefix}{name}", node


def untyped(source):
    """What lacks a type in a source text: names of functions, with those of their parameters."""
    missing = set()
    for name, node in public_functions(ast.parse(source).body):
        given = node.args
        parameters = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
        missing |= {
            f"{name}: {parameter.arg}"
            for parameter in filter(None, parameters)
            if parameter.annotation is None and parameter.arg not in ("self", "cls")
        }
        if node.returns is None:
            missing.add(f"{name}: return")
    return missing


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(a: int, *, b: str = '') -> int: ...", set()),
        (
            "def f(a, /, b, *c, d=1, **e): ...",
            {"f: a", "f: b", "f: c", "f: d", "f: e", "f: return"},
        ),
        ("async def f(): ...", {"f: return"}),
        ("def _f(a):\n    def g(b): ...", set()),
        (
            "class A:\n    def __init__(self, a): ...\n    def _f(self): ...",
            {"A.__init__: a", "A.__init__: return"},
        ),
        (
            "class A:\n    class B:\n        @classmethod\n        def f(cls, a) -> A: ...",
            {"A.B.f: a"},
        ),
        ("class A:\n    @property\n    def f(self): ...", {"A.f: return"}),
        ("class _A:\n    def f(self, a): ...", set()),
    ],
)
def test_missing_types_are_found(source, found):
    assert untyped(source) == found


@pytest.mark.parametrize("package", PACKAGES)
def test_public_functions_have_types(project_root, package):
    missing = {
        f"{path.relative_to(project_root)}: {what}"
        for path in (project_root / package).rglob("*.py")
        for what in untyped(path.read_text())
    }
    assert missing == set()
