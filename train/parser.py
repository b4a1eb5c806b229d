"""The command line of ``python -m train``: its commands, options and what --help teaches."""

import argparse
from pathlib import Path

from golden.source import SOURCES
from train import commands


__all__ = ["parser"]


DESCRIPTION = """\
Train a spike-driven transformer and export it as an integer model.

A run has two phases. The float SFA network is trained first: its neurons emit whole spike counts,
its weights are real numbers. Then the same network goes on with quantised weights. Export folds it
into integers and writes the model only if every count, every stream value and every logit of the
held-back images equals what the quantised network computes.
"""

EPILOG = """\
examples:
  %(prog)s fit --config train/recipes/digits.toml --out build/digits
      train on real digits; Ctrl-C stops after the last whole epoch, --resume goes on
  %(prog)s evaluate build/digits/checkpoint.pt
      accuracy of the float, quantised and integer network
  %(prog)s export build/digits/checkpoint.pt --out build/digits/digits.safetensors
      the model file that python -m golden and python -m hw.build read
  %(prog)s fit --config train/recipes/digits.toml --out build/tuned \\
      --init build/digits/float.pt --epochs 0 20
      quantisation-aware fine-tuning of float weights
  torchrun --nproc-per-node 2 -m train fit --config train/recipes/digits.toml --out build/two
      the same run, shared by two processes
  %(prog)s accuracy --config train/recipes/digits.toml --seeds 0 1 2 --out build/accuracy
      train three networks and check the accuracy contract
"""

FIT_HELP = """\
Train a network from a TOML configuration (train/recipes/digits.toml explains itself).

DIR receives checkpoint.pt after every epoch, float.pt at the end of the float phase, log.csv and
tensorboard/ with what every epoch measured, and at the end fit.json with accuracies, seed, epochs
and seconds. The result depends on configuration, seed, starting weights and number of threads only;
a resumed run gives the same bits as one that was not interrupted.
"""

PRETRAIN_HELP = """\
Pre-train a network on images without their labels: half of the patches of each image are hidden,
and a decoder that is thrown away afterwards guesses their pixels.

DIR receives pretrained.pt after every epoch, with log.csv and tensorboard/ beside it. Fine-tuning
starts from it: python -m train fit --init DIR/pretrained.pt --config ...
"""

EVALUATE_HELP = """\
Print the accuracy of a checkpoint on the held-back images: of the float SFA network if the
checkpoint is of the float phase, of the quantised network and of its integer model otherwise.
"""

EXPORT_HELP = """\
Fold a quantised checkpoint into an integer model and write it.

First the quantised network (float64, evaluation mode) and the integer model compute every held-back
image; they must agree in every tensor, with ==. At the first difference the export names the layer
and writes nothing. A report in JSON goes beside the model (digits.json for digits.safetensors).
"""

ACCURACY_HELP = """\
Train one network per seed and print their accuracies: float SFA, quantised, integer model.

Exit status 1 if the median of the integer model is below 96 %% or more than 1 point below the
median of the float SFA network.
"""


SWEEP_HELP = """\
Train networks of several largest spike counts D and weight widths, and print a table in Markdown:
medians over the seeds of the float SFA network and of its integer model.

Per D and seed a float network is trained once; quantisation-aware training goes on from it with
each weight width. DIR receives a folder per run and sweep.json; --resume goes on.
"""


BENCH_HELP = """\
Print what a training step costs: of our network, of the same network written the plain way (a
module per step, neurons as autograd functions of their own, q k^T first), and of the same network
run over 4 binary time steps with leaky neurons. The three take turns in one process. Peak memory is
the rise of a process's largest resident size during steps, one process each.
"""

REPORT_HELP = """\
Run an integer model on images and write what it costs: accuracy, firing rates, histograms of spike
counts, additions per layer in both spike codes, the papers' energy formula, bits moved, and next to
it the same for a dense network with multipliers. DIR receives report.html, one page that needs no
network, and report.json.
"""


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
        prog=prog, description=DESCRIPTION, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subcommands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name, function, description, *, help, data=True):  # noqa: A002
        sub = subcommands.add_parser(
            name, help=help, description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(command=function)
        sub.add_argument(
            "--threads", type=_positive, default=1, metavar="N",
            help="processor cores (default: 1, since small networks gain nothing from more and "
                 "the bits that training arrives at depend on it)",
        )
        if data:
            sub.add_argument(
                "--data", type=Path, metavar="PATH",
                help="folder or zip with train/CLASS/IMAGE and test/CLASS/IMAGE, for a "
                     "configuration that trains on image files",
            )
        return sub

    fit = command("fit", commands.fit, FIT_HELP, help="train a network")
    _add_run(fit)
    _add_epochs(fit)
    fit.add_argument(
        "--init", type=Path, metavar="CHECKPOINT",
        help="start from these float weights: of another run (float.pt), or a state_dict of an "
             "official checkpoint; with --epochs 0 N the run is quantisation-aware alone",
    )
    fit.add_argument(
        "--teacher", metavar="NAME",
        help="learn this classifier's scores too: MODULE:FUNCTION, which returns a torch "
             "classifier of images with pixels 0..1, or a checkpoint of ours",
    )
    fit.add_argument(
        "--device", choices=["cpu", "cuda"], default="cpu",
        help="default: cpu; for several processes or GPUs, torchrun --nproc-per-node N "
             "-m train fit ...",
    )

    pretrain = command(
        "pretrain", commands.pretrain, PRETRAIN_HELP, help="train a masked autoencoder first"
    )
    _add_run(pretrain)

    evaluate = command(
        "evaluate", commands.evaluate, EVALUATE_HELP, help="accuracy of a checkpoint"
    )
    evaluate.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    evaluate.add_argument("--report", type=Path, metavar="FILE", help="also write JSON here")
    _add_rounding(evaluate)

    export = command("export", commands.export, EXPORT_HELP, help="write the integer model")
    export.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    export.add_argument("--out", type=Path, required=True, metavar="MODEL.safetensors")
    export.add_argument(
        "--report", type=Path, metavar="FILE", help="JSON report (default: MODEL.json)"
    )
    _add_rounding(export)

    accuracy = command(
        "accuracy", commands.accuracy, ACCURACY_HELP, help="train several seeds, check medians"
    )
    _add_training(accuracy)
    _add_epochs(accuracy)
    accuracy.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="default: 0 1 2"
    )

    sweep = command(
        "sweep", commands.sweep, SWEEP_HELP, help="accuracy over spike counts and weight widths"
    )
    _add_training(sweep)
    _add_epochs(sweep)
    for option, what in (("--counts", "largest counts D"), ("--bits", "weight widths")):
        sweep.add_argument(
            option, type=_positive, nargs="+", metavar="N",
            help=f"{what} (default: the configuration's)",
        )
    sweep.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="default: 0 1 2"
    )
    sweep.add_argument(
        "--init", type=Path, metavar="CHECKPOINT",
        help="end of a float phase (float.pt) to start from, in place of float training",
    )
    bench = command("bench", commands.bench, BENCH_HELP, help="cost of a training step", data=False)
    bench.add_argument(
        "--config", type=Path, metavar="FILE",
        default=Path(__file__).with_name("recipes") / "cifar10-nano.toml",
        help="TOML file whose network is trained (default: cifar10-nano)",
    )
    bench.add_argument("--batch", type=_positive, default=32, metavar="N", help="default: 32")
    bench.add_argument("--rounds", type=_positive, default=7, metavar="N", help="default: 7")
    bench.add_argument("--out", type=Path, metavar="FILE", help="also write JSON here")

    report = subcommands.add_parser(
        "report", help="spikes, additions and energy of a model, and of its dense rival",
        description=REPORT_HELP, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.set_defaults(command=commands.report)
    report.add_argument("model", type=Path, metavar="MODEL", help="integer model (.safetensors)")
    report.add_argument("--data", default="digits", metavar="DATA", help=f"{SOURCES} (default)")
    report.add_argument("--images", type=_positive, metavar="N", help="take only so many images")
    report.add_argument(
        "--out", type=Path, default=Path("build/report"), metavar="DIR",
        help="default: build/report",
    )
    return top


def _add_run(parser):
    _add_training(parser)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")


def _add_epochs(parser):
    parser.add_argument(
        "--epochs", type=_whole, nargs=2, metavar=("FLOAT", "QUANTISED"),
        help="epochs of the two phases, in place of the configuration's",
    )


def _add_training(parser):
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="TOML file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint in DIR, if any"
    )


def _add_rounding(parser):
    parser.add_argument(
        "--head", choices=["spike", "analog"],
        help="of a network that has both (default: spike, which hardware runs)",
    )
    parser.add_argument(
        "--rounding", choices=["half-up", "half-even"],
        help="rule of every neuron, in place of the one the network was trained with",
    )


def _whole(text):
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, not {value}")
    return value


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {value}")
    return value
