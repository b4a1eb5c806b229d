"""The command line of ``python -m train``: its commands, options and what --help teaches."""

import argparse
from pathlib import Path

from golden.cli.options import (
    COUNT,
    SEED,
    SPIKE_CODE,
    SPIKE_CODE_NOTE,
    THREADS,
    input_file,
    input_path,
    number,
    output_file,
    output_folder,
    text,
    whole,
)
from golden.cli.source import SOURCES
from train.cli import commands, exports
from train.cli.descriptions import (
    ACCURACY,
    CONVERT,
    EVALUATE,
    EXAMPLES,
    EXPORT,
    FIT,
    PRETRAIN,
    REPORT,
    SWEEP,
    TRAIN,
    WEIGHTS,
)
from train.cli.options import (
    add_conversion,
    add_entry,
    add_epochs,
    add_head,
    add_rounding,
    add_run,
    add_training,
)


__all__ = ["parser"]


#: What a folder of image files must hold, where networks are trained and where they are not.
_TEST_SET = "test/CLASS/IMAGE (or val)"
_BOTH = f"train/CLASS/IMAGE and {_TEST_SET}"


def parser(prog):
    """Parser of the command line.

    Parameters
    ----------
    prog : str
        How the user called this.

    Returns
    -------
    argparse.ArgumentParser
        Whose options hold ``command``, the function to call with them.
    """
    top = argparse.ArgumentParser(
        prog=prog,
        description=TRAIN,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subcommands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name, function, description, *, help, data=_BOTH):  # noqa: A002
        sub = subcommands.add_parser(
            name,
            help=help,
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(command=function)
        sub.add_argument(
            "--threads",
            type=THREADS,
            default=1,
            metavar="N",
            help="processor cores (default: 1, since small networks gain nothing from more and "
            "the bits that training arrives at depend on it)",
        )
        if data:
            sub.add_argument(
                "--data",
                type=input_path,
                metavar="PATH",
                help=f"folder or zip with {data}, for a configuration that trains on image files",
            )
        return sub

    fit = command("fit", commands.fit, FIT, help="train a network")
    add_run(fit)
    add_epochs(fit)
    fit.add_argument(
        "--init",
        type=input_file,
        metavar="CHECKPOINT",
        help="start from these float weights: of another run (float.pt), or a state_dict of an "
        "official checkpoint; with --epochs 0 N the run is quantisation-aware alone",
    )
    add_entry(fit)
    fit.add_argument(
        "--teacher",
        type=text,
        metavar="NAME",
        help="learn this classifier's scores too: MODULE:FUNCTION, which returns a torch "
        "classifier of images with pixels 0..1, or a checkpoint of ours",
    )
    fit.add_argument(
        "--device",
        choices=["cpu", "cuda"],
        default="cpu",
        help="default: cpu; for several processes or GPUs, torchrun --nproc-per-node N "
        "-m train fit ...",
    )

    pretrain = command(
        "pretrain", commands.pretrain, PRETRAIN, help="train a masked autoencoder first"
    )
    add_run(pretrain)

    evaluate = command(
        "evaluate", commands.evaluate, EVALUATE, help="accuracy of a checkpoint", data=_TEST_SET
    )
    evaluate.add_argument("checkpoint", type=input_file, metavar="CHECKPOINT")
    evaluate.add_argument("--report", type=output_file, metavar="FILE", help="also write JSON here")
    add_rounding(evaluate)

    weights = subcommands.add_parser(
        "weights", help="write the weights of a checkpoint alone", description=WEIGHTS
    )
    weights.set_defaults(command=commands.weights)
    weights.add_argument("checkpoint", type=input_file, metavar="CHECKPOINT")
    weights.add_argument("--out", type=output_file, required=True, metavar="FILE.pt")

    export = command(
        "export", exports.export, EXPORT, help="write the integer model", data=_TEST_SET
    )
    export.add_argument("checkpoint", type=input_file, metavar="CHECKPOINT")
    export.add_argument("--out", type=output_file, required=True, metavar="MODEL.safetensors")
    export.add_argument(
        "--report", type=output_file, metavar="FILE", help="JSON report (default: MODEL.json)"
    )
    add_rounding(export)

    _add_conversion(
        command(
            "convert",
            exports.convert,
            CONVERT,
            help="integer model of an official checkpoint",
            data=None,
        )
    )

    accuracy = command(
        "accuracy", commands.accuracy, ACCURACY, help="train several seeds, check medians"
    )
    add_training(accuracy)
    add_epochs(accuracy)
    accuracy.add_argument(
        "--seeds", type=SEED, nargs="+", default=[0, 1, 2], metavar="N", help="default: 0 1 2"
    )

    sweep = command(
        "sweep", commands.sweep, SWEEP, help="accuracy over spike counts and weight widths"
    )
    add_training(sweep)
    add_epochs(sweep)
    for option, what, least, most in (
        ("--counts", "largest counts D", 1, 15),
        ("--bits", "weight widths", 2, 8),
    ):
        sweep.add_argument(
            option,
            type=whole(least, most),
            nargs="+",
            metavar="N",
            help=f"{what} (default: the configuration's)",
        )
    sweep.add_argument(
        "--seeds", type=SEED, nargs="+", default=[0, 1, 2], metavar="N", help="default: 0 1 2"
    )
    sweep.add_argument(
        "--init",
        type=input_file,
        metavar="CHECKPOINT",
        help="end of a float phase (float.pt) to start from, in place of float training",
    )

    report = subcommands.add_parser(
        "report",
        help="spikes, additions and energy of a model, and of its dense baseline",
        description=REPORT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.set_defaults(command=commands.report)
    report.add_argument(
        "model",
        type=input_path,
        nargs="+",
        metavar="MODEL",
        help="integer model (.safetensors), or a folder that holds one; several with --curve",
    )
    report.add_argument(
        "--data", type=input_path, default="digits", metavar="DATA", help=f"{SOURCES} (default)"
    )
    report.add_argument("--images", type=COUNT, metavar="N", help="take only so many images")
    report.add_argument(
        "--out",
        type=output_folder,
        default=Path("build/report"),
        metavar="DIR",
        help="default: build/report",
    )
    report.add_argument(
        "--curve",
        type=output_file,
        metavar="FILE.svg",
        help="in place of the page: draw accuracy over additions of all models",
    )
    report.add_argument(
        "--code",
        **SPIKE_CODE,
        metavar="CODE",
        help="spike code of the curve's additions: thermometer, bit-serial, 2-bit-serial or split "
        f"(default: split; {SPIKE_CODE_NOTE})",
    )
    return top


def _add_conversion(convert):
    convert.add_argument(
        "--checkpoint",
        type=input_file,
        required=True,
        metavar="FILE.pth",
        help="state_dict, bare or as an entry of the file, such as model, state_dict or model_ema",
    )
    add_entry(convert)
    convert.add_argument(
        "--family",
        choices=["espikeformer", "espikeformer-large"],
        default="espikeformer",
        help="default: espikeformer",
    )
    convert.add_argument(
        "--size",
        metavar="SIZE",
        choices=["t", "s", "m", "l", "12_512", "12_768"],
        help="t, s, m or l; of the large family 12_512 or 12_768. Without it, widths and depths "
        "are read off the checkpoint",
    )
    add_conversion(convert, count=8, most_bits=8)
    convert.add_argument(
        "--bn-eps",
        type=number(least=0, most=1),
        default=1e-5,
        metavar="E",
        help="what batch norms add to variances (default: 1e-5)",
    )
    convert.add_argument(
        "--pixels",
        choices=["unit", "imagenet"],
        default="unit",
        help="what the network was trained on: x/256 (unit, the default) or "
        "(x/255 - mean)/deviation of ImageNet, as published checkpoints",
    )
    convert.add_argument(
        "--image-size",
        type=whole(1, 8192),
        default=224,
        metavar="N",
        help="height and width of images (default: 224)",
    )
    convert.add_argument(
        "--heads", type=whole(1, 1024), default=8, metavar="N", help="of attention (default: 8)"
    )
    convert.add_argument(
        "--max-count",
        type=whole(1, 15),
        default=4,
        metavar="D",
        help="most spikes at once (default: 4)",
    )
    add_head(convert)
