"""Command line: run an integer model on images, or measure its accuracy."""

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from golden.cli.entry import enter
from golden.cli.options import SPIKE_CODE, SPIKE_CODE_NOTE, input_file, input_path, output_file
from golden.cli.progress import image_progress
from golden.cli.source import SOURCES, announce, load_source
from golden.data.atomic import replacing
from golden.data.reading import printable
from golden.model.executor import accuracy, classify, run
from golden.model.file import load
from golden.model.input import ModelInput
from golden.spike import SpikeCode


EPILOG = """\
examples:
  %(prog)s run digits.safetensors eight.png
      print the class of one image
  %(prog)s run digits.safetensors images.npy --out result.npz --trace
      also write the logits and every intermediate tensor
  %(prog)s evaluate digits.safetensors digits
      accuracy on the test set of scikit-learn's digits, 360 images
"""

RUN_HELP = """\
Print the predicted class of each image, one line per image: its name, a tab, the class (its name if
the model knows it, else its number).

IMAGES is a .npy array (uint8, images x height x width x channels), an image file, a folder of such
files, or anything that evaluate takes. Image files are resized and cropped as the model file says;
without that, the size must fit, but for 224x224 models. How many images of how many classes were
found, and which files were not read, is said on standard error.

With --out, a NumPy .npz file is written that holds `logits` (integers), `logit_scale` (logits times
this are the logits of the trained network) and with --trace every tensor that hardware stores, such
as `block3.0.attn.q.counts`, `block3.0.stream` and `block3.0.attn.kv`. Maps have the shape images x
channels x height x width.
"""

EVALUATE_HELP = """\
Print the accuracy of a model on labelled data.

DATA is a .npz file with the arrays `images` (uint8, images x height x width x channels) and
`labels` (integers); a folder or zip with test/CLASS/IMAGE (or val), where nothing else need be; or
the word `digits`: the test set of scikit-learn's digits, 360 images. The classes must be those of
the model, by name if it knows their names. Image files are resized and cropped as for run.
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m golden") -> int:
    """Run one command.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.
    prog : str
        How the user called this.

    Returns
    -------
    int
        Exit status: 0, or 2 after an error that was reported in one sentence, or 130 after Ctrl-C.
    """
    options = _parser(prog).parse_args(arguments)
    try:
        options.command(options)
    except KeyboardInterrupt:
        print("\nInterrupted, nothing was written.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        raise
    except OSError as error:
        where = error.filename or "standard output"
        print(f"{where}: nothing can be written there ({error.strerror}).", file=sys.stderr)
        return 2
    except (ValueError, OverflowError) as error:
        print(f"{error}.", file=sys.stderr)
        return 2
    except MemoryError:
        print("There is not enough memory for this.", file=sys.stderr)
        return 2
    return 0


def _parser(prog):
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Run integer models exactly, without torch.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser(
        "run",
        help="classify images, and write tensors",
        description=RUN_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "model", metavar="MODEL", type=input_file, help="model file (.safetensors)"
    )
    command.add_argument("images", metavar="IMAGES", type=input_path, help=SOURCES)
    command.add_argument("--out", metavar="OUT.npz", type=output_file, help="write the logits here")
    command.add_argument("--trace", action="store_true", help="write every tensor too; needs --out")
    command.add_argument(
        "--code",
        **SPIKE_CODE,
        metavar="CODE",
        help="execute spike by spike: thermometer, bit-serial, 2-bit-serial or split; "
        f"the result is the same, only slower ({SPIKE_CODE_NOTE})",
    )
    command.set_defaults(command=_run)

    command = commands.add_parser(
        "evaluate",
        help="accuracy on labelled data",
        description=EVALUATE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "model", metavar="MODEL", type=input_file, help="model file (.safetensors)"
    )
    command.add_argument(
        "data",
        metavar="DATA",
        type=input_path,
        help="labelled .npz, folder or zip with test/CLASS/IMAGE (or val), or digits",
    )
    command.set_defaults(command=_evaluate)
    return parser


def _run(options):
    if options.trace and options.out is None:
        raise ValueError("--trace needs --out, the file that the tensors go to")
    if options.out is not None and options.out.suffix != ".npz":
        raise ValueError(f"{options.out}: the output must be a .npz file")
    model = load(options.model)
    takes = ModelInput.of(model)
    found = load_source(options.images, takes)
    code = None if options.code is None else SpikeCode(options.code)
    with image_progress() as progress:
        result = run(model, found.images[:], trace=options.trace, code=code, progress=progress)
    if options.out is not None:
        arrays = dict(result.tensors)
        arrays |= result.outputs
        arrays["logit_scale"] = np.float64(model.head.epilogue.scale)
        with replacing(options.out) as file:
            np.savez(file, **arrays)
    # Said at the end: results can be read as they are, and errors stand alone.
    announce(found.lines)
    for name, predicted in zip(found.names, classify(result.logits), strict=True):
        print(f"{printable(name)}\t{takes.class_name(predicted)}")


def _evaluate(options):
    model = load(options.model)
    found = load_source(options.data, ModelInput.of(model))
    if found.labels is None:
        raise ValueError(f"{options.data}: accuracy needs labels, which these images do not have")
    announce(found.lines)
    with image_progress() as progress:
        share = accuracy(model, found.images, found.labels, progress=progress)
    total = len(found.labels)
    print(f"accuracy {100 * share:.2f} % ({round(share * total)} of {total} images)")


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m golden"))
