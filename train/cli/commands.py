"""The commands behind ``python -m train``. Torch is imported only once one of them runs."""

from pathlib import Path

from golden.cli.options import distinct
from golden.cli.source import announce


__all__ = [
    "accuracy",
    "evaluate",
    "fit",
    "interrupted",
    "pretrain",
    "report",
    "rounding",
    "set_threads",
    "sweep",
    "weights",
]


def fit(options):
    """Train a network and write ``fit.json``."""
    set_threads(options)
    from train.cli.progress import fit_progress
    from train.cli.report import training_report, write_json
    from train.run import fit as training
    from train.run.config import CHECKPOINT
    from train.run.processes import joined
    from train.run.teacher import load_teacher

    config = _configuration(options)
    teacher = options.teacher and load_teacher(options.teacher)
    with joined(options.device) as processes, fit_progress(shown=processes.first) as watcher:
        state = training.fit(
            config,
            options.out,
            seed=options.seed,
            data=options.data,
            init=options.init,
            entry=options.entry,
            teacher=teacher,
            resume=options.resume,
            processes=processes,
            progress=watcher,
        )
    if not processes.first:
        return
    report = training_report(state)
    write_json(report, options.out / "fit.json")
    for kind, value in report["accuracy"].items():
        print(f"{kind:9} {value:.2%} of the test images")
    print(f"{options.out / CHECKPOINT} after {report['seconds']:.0f} s of training")


def pretrain(options):
    """Pre-train a network as a masked autoencoder."""
    set_threads(options)
    from train.cli.progress import fit_progress
    from train.run import pretrain as pretraining
    from train.run.config import PRETRAINED_CHECKPOINT, require_family

    config = _configuration(options)
    require_family(config, "pretrain")
    with fit_progress() as watcher:
        state = pretraining.pretrain(
            config,
            options.out,
            seed=options.seed,
            data=options.data,
            resume=options.resume,
            progress=watcher,
        )
    first, last = state.history[0]["loss"], state.history[-1]["loss"]
    print(f"loss {first:.3f} after 1 epoch, {last:.3f} after {state.epoch}")
    print(f"{options.out / PRETRAINED_CHECKPOINT}: pass it to fit --init")


def evaluate(options):
    """Print the accuracies of a checkpoint."""
    set_threads(options)
    from train.cli.report import training_report, write_json
    from train.data.sets import load_test_set
    from train.run import checkpoint
    from train.run.evaluate import float_accuracy, measure

    state = checkpoint.load(options.checkpoint)
    split = load_test_set(state.config, options.data, state.classes)
    announce(split.lines)
    if state.grids is None:
        found = {"float": float_accuracy(state.build(), split)}
    else:
        found = measure(state, split, rounding(options), options.head)
    for kind, value in found.items():
        print(f"{kind:9} {value:.2%} of {len(split.test_images)} test images")
    if options.report is not None:
        write_json(training_report(state) | {"accuracy": found}, options.report)


def weights(options):
    """Write the weights of a checkpoint alone."""
    from train.run import checkpoint

    state = checkpoint.weights(options.checkpoint)
    checkpoint.save(state, options.out)
    size = options.out.stat().st_size
    print(f"{options.out}: {size:,} bytes, of epoch {state.epoch}; pass it to fit --init")


def accuracy(options):
    """Train several seeds; 1 if the accuracy contract does not hold."""
    set_threads(options)
    from train.cli.progress import fit_progress
    from train.cli.report import write_json
    from train.run.accuracy import study

    distinct("--seeds", options.seeds)
    config = _configuration(options)
    found = study(
        config,
        options.seeds,
        options.out,
        data=options.data,
        resume=options.resume,
        progress=fit_progress,
    )
    failures = found.failures()
    write_json(
        {
            "accuracy": {str(seed): run for seed, run in found.accuracy.items()},
            "medians": found.medians,
            "failures": failures,
        },
        options.out / "accuracy.json",
    )
    print("accuracy on the test set:")
    print(found.table())
    for sentence in failures:
        print(f"{sentence}.")
    return 1 if failures else 0


def sweep(options):
    """Train networks of several counts and weight widths and print a table."""
    set_threads(options)
    from train.cli.progress import fit_progress
    from train.cli.report import write_json
    from train.run.config import require_family
    from train.run.sweep import sweep as sweeping

    for name in ("counts", "bits", "seeds"):
        distinct(f"--{name}", getattr(options, name))
    config = _configuration(options)
    require_family(config, "sweep")
    found = sweeping(
        config,
        options.out,
        counts=options.counts or [config.network.max_count],
        bits=options.bits or [config.quantise.weight_bits],
        seeds=options.seeds,
        data=options.data,
        init=options.init,
        resume=options.resume,
        progress=fit_progress,
    )
    write_json(
        [
            {"max_count": max_count, "weight_bits": bits, "seed": seed, **run}
            for (max_count, bits), runs in found.accuracy.items()
            for seed, run in runs.items()
        ],
        options.out / "sweep.json",
    )
    print("accuracy on the test set:")
    print(found.table())


def report(options):
    """Run models on images and write what they cost: one on a page, several as a curve."""
    from golden.data.atomic import replacing
    from train.cli.report import write_json
    from train.export.findings import findings, summary
    from train.export.page import page

    if options.curve is not None:
        _curve(options)
        return
    if options.code is not None:
        raise ValueError("--code must come with --curve, since the page has its own codes")
    if len(options.model) > 1:
        raise ValueError(
            f"MODEL must be one for a page, not {len(options.model)}: pass --curve FILE.svg, too"
        )
    model, statistics = _statistics(options, options.model[0])
    found = findings(model, statistics)
    options.out.mkdir(parents=True, exist_ok=True)
    write_json(found, options.out / "report.json")
    with replacing(options.out / "report.html") as file:
        file.write(page(found).encode())
    rows = summary(found)
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")
    print(f"{options.out / 'report.html'} and report.json beside it")


def _curve(options):
    """Write accuracy over additions of several models, and print it as a table."""
    from golden.data.atomic import replacing
    from golden.spike import SpikeCode
    from train.cli.report import write_json
    from train.export.curve import curve_point, picture, table

    distinct("MODEL", options.model)
    if options.curve.suffix != ".svg":
        raise ValueError(f"--curve must name a .svg file, not {options.curve}")
    code = SpikeCode(options.code or SpikeCode.SPLIT)
    points = []
    for path in options.model:
        model, statistics = _statistics(options, path)
        if statistics.right is None:
            raise ValueError(
                f"{options.data}: accuracy needs labels, which these images do not have"
            )
        name = path.name if path.is_dir() else path.stem
        points.append(curve_point(name, model, statistics, code))
    options.curve.parent.mkdir(parents=True, exist_ok=True)
    write_json(points, options.curve.with_suffix(".json"))
    with replacing(options.curve) as file:
        file.write(picture(points).encode())
    print(table(points))
    print(f"{options.curve} and {options.curve.with_suffix('.json').name} beside it")


def _statistics(options, path):
    """The model of a file or of a run's folder, and what it does on the command's images."""
    import golden
    from golden.analysis.activity_statistics import take_statistics
    from golden.cli.source import open_source
    from train.cli.progress import image_progress

    if path.is_dir():
        found = sorted(path.glob("*.safetensors"))
        if len(found) != 1:
            raise ValueError(
                f"{path}: must hold one model (.safetensors), as train export writes it, not "
                f"{len(found)}"
            )
        (path,) = found
    model = golden.load(path)
    found = open_source(options.data, model, count=options.images)
    with image_progress("counting, images") as progress:
        return model, take_statistics(model, found.images[:], found.labels, progress=progress)


def interrupted(options):
    """Sentence that tells what Ctrl-C left behind."""
    from train.run.config import CHECKPOINT, PRETRAINED_CHECKPOINT

    folder = getattr(options, "out", None)
    if hasattr(options, "resume") and any(
        list(Path(folder).rglob(name)) for name in (CHECKPOINT, PRETRAINED_CHECKPOINT)
    ):
        return f"Interrupted; {folder} holds the last whole epoch, and --resume goes on from it."
    return "Interrupted before the command was done."


def set_threads(options):
    """Give torch the threads that a command line asks for."""
    import torch

    torch.set_num_threads(options.threads)


def _configuration(options):
    """Configuration with the command line's epochs."""
    from train.run import config

    found = config.load(options.config)
    return config.with_epochs(found, *options.epochs) if getattr(options, "epochs", None) else found


def rounding(options):
    """Rounding rule that a command line asks for, if any."""
    from golden.neuron import Rounding

    return None if options.rounding is None else Rounding(options.rounding)
