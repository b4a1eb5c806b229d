"""The help of the commands of training."""

import re
import subprocess
import sys

import pytest

from train.__main__ import main


@pytest.mark.parametrize("command", ["", "fit", "evaluate", "export", "accuracy"])
def test_help_teaches(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([*command.split(), "--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert re.search(r"test\s(set|image)", printed) or command in ("fit", "accuracy")


def test_help_needs_no_torch(project_root):
    code = """
import sys
from train.__main__ import main
try:
    main(["--help"])
except SystemExit:
    print("torch" in sys.modules)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=project_root, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "False"
