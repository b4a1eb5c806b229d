"""The commands that write integer models. Torch is imported only once one of them runs."""

import time

from golden.cli.source import announce
from train.cli.commands import rounding, set_threads


__all__ = ["convert", "export", "require_model_name", "write_conversion"]


#: What a network may have been trained on, by the option ``--pixels``.
_PIXELS = {
    "unit": "x/256 (--pixels unit); a network that was trained on (x/255 - mean)/deviation, as "
    "published ones were, needs --pixels imagenet",
    "imagenet": "(x/255 - mean)/deviation of ImageNet (--pixels imagenet); a network that was "
    "trained on x/256 needs --pixels unit",
}


def export(options):
    """Write an integer model and its report."""
    set_threads(options)
    from train.cli.progress import image_progress
    from train.cli.report import training_report, write_json
    from train.data.sets import input_of, load_test_set
    from train.export import export as exporting
    from train.run import checkpoint
    from train.run.evaluate import measure

    require_model_name(options.out)
    began = time.perf_counter()
    state = checkpoint.load(options.checkpoint)
    split = load_test_set(state.config, options.data, state.classes)
    announce(split.lines)
    quantised = state.quantised(rounding(options), options.head)
    report = training_report(state)
    report["rounding"] = quantised.rounding.value
    report["accuracy"] |= measure(state, split, quantised.rounding, options.head)
    with image_progress("comparing with golden, images") as progress:
        # The model's notes leave out what a repeated run would not reproduce.
        notes = {key: report[key] for key in report.keys() - {"seconds"}}
        notes["test_images"] = len(split.test_images)
        model, compared = exporting.export(
            quantised,
            options.out,
            split.test_images,
            name=state.config.name,
            notes=notes,
            takes=input_of(state.config, split.classes),
            progress=progress,
        )
    report |= {
        "model": options.out.name,
        "images": len(split.test_images),
        "integers_compared": compared,
        "mismatches": 0,
        "mean_counts": model.mean_counts,
        "export_seconds": round(time.perf_counter() - began, 1),
    }
    write_json(report, options.report or options.out.with_suffix(".json"))
    print(
        f"{options.out}: {compared:,} integers of {len(split.test_images)} images equal, "
        f"accuracy {report['accuracy']['golden']:.2%} of them"
    )
    _print_head(model, state.config.network.head, options)


def convert(options):
    """Write the integer model of an official checkpoint, and its report."""
    set_threads(options)
    from golden.model.input import ModelInput
    from train.network.build import layered, with_head
    from train.run import official
    from train.run.parameters import read_parameters

    require_model_name(options.out)
    parameters = read_parameters(options.checkpoint, options.entry)
    shape = official.describe(
        parameters.values,
        options.checkpoint,
        image_size=options.image_size,
        heads=options.heads,
        family="large" if options.family == "espikeformer-large" else "base",
        size=options.size and options.size.upper(),
        max_count=options.max_count,
    )
    network = official.load(
        parameters.values,
        shape,
        options.checkpoint,
        bn_eps=options.bn_eps,
        imagenet=options.pixels == "imagenet",
    )
    takes = ModelInput.usual(shape.image, shape.classes)
    model = write_conversion(
        layered(with_head(network, options.head)),
        takes,
        options,
        # Of other sizes nobody knows how the pictures came to them.
        kept=takes if takes.resize else None,
        lines=parameters.lines(options.checkpoint),
    )
    _print_head(model, shape.head, options)
    # Only of three colours there is a mean that may have been subtracted.
    if shape.image[2] == 3:
        print(f"pixels were taken as {_PIXELS[options.pixels]}")


def write_conversion(network, takes, options, *, kept=None, lines=()):
    """Write the integer model of a float network and its report, and print how the two compare.

    Parameters
    ----------
    network : SpikingNetwork
        With one head.
    takes : ModelInput
        How calibration pictures are read.
    options : Namespace
        Of `train.cli.options.add_conversion`.
    kept : ModelInput, optional
        What the model says of its pictures.
    lines : sequence of str
        Printed first.

    Returns
    -------
    IntegerModel
    """
    import golden
    from golden.cli.source import load_source
    from train.cli.progress import image_progress
    from train.cli.report import conversion_report, write_json
    from train.export.convert import convert as converting

    images = labels = None
    if options.calibrate is not None:
        found = load_source(options.calibrate, takes, count=options.count)
        announce(found.lines)
        images, labels = found.images[:], found.labels
    with image_progress("comparing with float64, images") as progress:
        conversion = converting(
            network,
            name=options.out.stem,
            weight_bits=options.weight_bits,
            max_fraction_bits=options.fraction_bits,
            images=images,
            labels=labels,
            progress=progress,
            takes=kept,
        )
    golden.save(conversion.model, options.out)
    write_json(conversion_report(conversion), options.out.with_suffix(".json"))
    print("\n".join([*lines, *conversion.lines()]))
    print(f"{options.out}: {len(conversion.model.layers)} layers")
    return conversion.model


def _print_head(model, heads, options):
    """Say so if hardware will not run a model."""
    if not model.layers[-1].SPIKING:
        remedy = (
            "--head spike makes one that it runs"
            if heads == "both"
            else "the network has no spike head (head_kd), which it would run"
        )
        print(
            f"{options.out}: hardware will not run this model, since its analog head reads no "
            f"spikes; golden will; {remedy}"
        )


def require_model_name(path):
    """Raises ValueError unless a path ends as model files do."""
    if path.suffix != ".safetensors":
        raise ValueError(f"{path}: the model file must end in .safetensors")
