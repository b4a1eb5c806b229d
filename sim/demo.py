"""The demonstration: from real digits to a verified bitstream, one command after the other.

Every step is the command that a user would type, in a process of its own; what they leave in JSON
files ends in one table and one page.
"""

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

from golden.cli.entry import BROKEN_PIPE, ROOT, enter
from golden.cli.options import (
    COUNT,
    SEED,
    input_file,
    output_folder,
    whole,
)
from hw.cli.spike_code import DEFAULT_SPIKE_CODE, SPIKE_CODE, SPIKE_CODE_NOTE
from hw.fpga.devices import DEVICES
from hw.isa.core_config import MOST_COLUMNS, MOST_LANES
from hw.reporting.report import summary, write
from hw.tools.process import ToolError, stop
from hw.tools.verilator import simulator

from .demo_figures import DemoError, collect, read, spikes_of_one_image


__all__ = ["main"]


RECIPE = ROOT / "train" / "recipes" / "digits.toml"

#: Accuracy of the golden model below which the demonstration refuses to go on.
LEAST_ACCURACY = 0.94


def main(arguments=None, prog="python -m sim.demo"):
    """Run the demonstration.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.
    prog : str
        How the user called this.

    Returns
    -------
    int
        Exit status: 0; 1 after a failed step; 2 where a file cannot be written; 130 after Ctrl-C.
    """
    options = parser(prog).parse_args(arguments)
    try:
        # What the machine lacks for a later step is told before the first one.
        simulator()
        options.out.mkdir(parents=True, exist_ok=True)
        for number, (title, command) in enumerate(steps(options), start=1):
            step(f"{number}/5 {title}", command)
            if command[0] == "train" and command[1] == "export":
                require_accuracy(options.out)
        figures = collect(options)
        write(options.out, figures, spikes=spikes_of_one_image(options.out / "digits.safetensors"))
        print_table(summary(figures))
        print(f"\n{options.out / 'report.html'} has the same figures, and the spikes per layer.")
    except (DemoError, ToolError) as error:
        print(f"{error}.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except ValueError as error:
        print(f"{error}.", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename or options.out}: {error.strerror or error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            f"\nInterrupted; finished steps are in {options.out}, no report was written.",
            file=sys.stderr,
        )
        return 130
    return 0


def parser(prog):
    """Build the command line."""
    options = argparse.ArgumentParser(
        prog=prog,
        description="Train on real digits, export, build, simulate bit-exactly, "
        "synthesise, place, route, and report.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    options.add_argument(
        "--out", type=output_folder, default=Path("build/demo"), help="output folder"
    )
    options.add_argument(
        "--device", default="ecp5-85k", choices=[d.name for d in DEVICES], help="FPGA"
    )
    options.add_argument(
        "--columns", type=whole(1, MOST_COLUMNS), default=2, help="columns of the array"
    )
    options.add_argument(
        "--lanes-per-column", type=whole(2, MOST_LANES), default=16, help="adders of each column"
    )
    options.add_argument(
        "--spike-code",
        **SPIKE_CODE,
        default=DEFAULT_SPIKE_CODE,
        help=f"how counts become spikes ({SPIKE_CODE_NOTE})",
    )
    options.add_argument("--images", type=COUNT, default=20, help="test images to simulate")
    options.add_argument("--seed", type=SEED, default=0, help="of the training")
    options.add_argument("--config", type=input_file, default=RECIPE, help="training configuration")
    return options


def steps(options):
    """List the commands of the demonstration.

    Parameters
    ----------
    options : argparse.Namespace

    Returns
    -------
    list of (str, list of str)
        Title, and arguments after ``python -m``.
    """
    out = options.out
    model, built = f"{out}/digits.safetensors", f"{out}/accelerator"
    array = [
        "--model",
        model,
        "--device",
        options.device,
        "--columns",
        str(options.columns),
        "--lanes-per-column",
        str(options.lanes_per_column),
        "--spike-code",
        options.spike_code,
        "--out",
        built,
    ]
    return [
        (
            "training on real digits",
            [
                "train",
                "fit",
                "--config",
                str(options.config),
                "--out",
                f"{out}/train",
                "--seed",
                str(options.seed),
                "--resume",
            ],
        ),
        (
            "exporting the integer model",
            [
                "train",
                "export",
                f"{out}/train/checkpoint.pt",
                "--out",
                model,
                "--report",
                f"{out}/export.json",
            ],
        ),
        ("building the accelerator", ["hw.build", "--target", "sim", *array]),
        (
            "simulating it, every tensor against the golden model",
            [
                "sim.verify",
                built,
                model,
                "--images",
                "digits",
                "--count",
                str(options.images),
                "--report",
                f"{out}/verify.json",
            ],
        ),
        ("synthesising, placing and routing", ["hw.build", "--target", "fpga", *array]),
    ]


def step(title, command):
    """Run one command and tell how long it took.

    Raises
    ------
    DemoError
        If it fails; its own message is on the terminal by then.
    """
    print(f"\n[{title}]\n  python -m {shlex.join(command)}", flush=True)
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", *command])
    try:
        status = process.wait()
    finally:
        # A simulator or router needs a moment to end its own children.
        stop(process, grace=20)
    if status == BROKEN_PIPE:
        raise BrokenPipeError
    if status:
        raise DemoError(f"The demonstration stops: {title} failed with status {status}")
    print(f"  {time.monotonic() - began:.0f} s", flush=True)


def require_accuracy(out):
    """Raise DemoError if the exported model is worse than what hardware is worth building for."""
    reached = read(out / "export.json")["accuracy"]["golden"]
    if reached < LEAST_ACCURACY:
        raise DemoError(
            f"The demonstration stops: the accuracy of the golden model must be at "
            f"least {LEAST_ACCURACY:.0%}, not {reached:.2%}"
        )


def print_table(rows):
    """Print names and values in two columns."""
    name_width = max(len(name) for name, _ in rows)
    value_width = max(len(value) for _, value in rows)
    print()
    for name, value in rows:
        print(f"  {name:{name_width}}  {value:>{value_width}}")


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m sim.demo"))
