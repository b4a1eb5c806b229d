"""What the compiler makes of Verilator's C++: Verilator's own objects once, all else at once."""

import hashlib
import json
import sys
from pathlib import Path

from golden.data.atomic import replacing


__all__ = ["copy_objects", "join", "runtime"]


def runtime(cache, environment, flags):
    """Folder of Verilator's own objects: four fifths of a small build, and always the same.

    Parameters
    ----------
    cache : Path
        Folder that keeps simulators.
    environment : dict of str to str
        Of Verilator, from ``hw.tools.verilator``.
    flags : tuple of str
        Of Verilator: those that write waves have their own objects.
    """
    traces = [flag for flag in flags if flag.startswith("--trace")]
    key = hashlib.sha256(json.dumps([environment, sys.executable, *traces]).encode())
    key = key.hexdigest()[:16]
    folder = Path(cache).resolve() / f"runtime-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def copy_objects(source, target):
    """Copy Verilator's own objects that ``target`` lacks; another process may do so, too."""
    for path in sorted(source.glob("verilated*.o")):
        if not (target / path.name).exists():
            with replacing(target / path.name) as file:
                file.write(path.read_bytes())


def join(folder):
    """Write the file that includes all C++ of a design: headers are then read once.

    Verilator's makefile would do so too, but also optimise what runs only at the start.
    """
    fast, slow = [], []
    for path in sorted(folder.glob("Vtop*.cpp")):
        (slow if path.stem.endswith("__Slow") else fast).append(f'#include "{path.name}"\n')
    # Newer than its parts, so that make takes it for up to date.
    (folder / "Vtop__ALL.cpp").write_text("".join([*fast, '#pragma GCC optimize ("O0")\n', *slow]))
