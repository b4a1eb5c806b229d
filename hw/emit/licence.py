"""The licence of what a build writes, as it stands in the head of each file."""

__all__ = ["LICENCE", "SPDX", "VERILOG_HEAD"]


LICENCE = "Apache-2.0"
#: Line of a comment, without the sign that begins one.
SPDX = f"SPDX-License-Identifier: {LICENCE}"
#: Head of a file of Verilog, or of one that ``$readmemh`` reads.
VERILOG_HEAD = f"// {SPDX}\n"
