"""The FuseSoC description of a build directory."""

import json

from .verilog import TOP


__all__ = ["CORE_FILE", "core_file"]


#: Its name in the build directory.
CORE_FILE = f"{TOP}.core"

_TEXT = """\
CAPI=2:
# SPDX-License-Identifier: Apache-2.0
# fusesoc --cores-root . run --target sim addend:generated:{top}
name: addend:generated:{top}:1.0.0
description: {description}

filesets:
  rtl:
    file_type: verilogSource
    files:
{rtl}
  waivers:
    file_type: vlt
    files:
      - rtl/{top}.vlt
  rom:
    file_type: user
    files:
{rom}
  tb:
    file_type: verilogSource
    files:
      - tb/tb.vh: {{is_include_file: true, include_path: tb}}
      - tb/tb.v
  vectors:
    file_type: user
    files:
{vectors}

targets:
  default:
    filesets: [rtl, rom]
    toplevel: {top}
  sim:
    flow: sim
    flow_options:
      tool: icarus
      iverilog_options: [-g2005]
    filesets: [rtl, rom, tb, vectors]
    toplevel: tb
  lint:
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wall]
    filesets: [waivers, rtl]
    toplevel: {top}
"""


def core_file(model_name, sources, paths):
    """Text of the CAPI2 file, with the targets ``sim`` (Icarus) and ``lint`` (Verilator).

    Parameters
    ----------
    model_name : str
    sources : iterable of str
        Of the core's Verilog.
    paths : iterable of str
        Of all files in the build directory.

    Returns
    -------
    str
    """

    def copied(folder):
        # Tools run in a folder of their own, where they look for these.
        chosen = [path for path in paths if path.startswith(f"{folder}/") and path.endswith(".hex")]
        return "\n".join(f"      - {path}: {{copyto: {path}}}" for path in chosen)

    paths = list(paths)
    # A text of JSON is one of YAML, whatever the name has in it.
    described = f"The spike-driven transformer {model_name}, computed with additions only"
    rtl = "\n".join(f"      - {path}" for path in sources)
    return _TEXT.format(
        top=TOP,
        description=json.dumps(described, ensure_ascii=False),
        rtl=rtl,
        rom=copied("rom"),
        vectors=copied("vectors"),
    )
