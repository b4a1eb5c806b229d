"""``python -m hw.build``: from an integer model to Verilog and a bitstream, or a netlist."""

import sys

import golden
from golden.cli.entry import enter
from golden.cli.options import distinct
from golden.cli.source import open_source
from golden.data.lock import alone_in
from golden.data.reading import printable

from .boards.board import find_board
from .boards.top import require_on_chip
from .boards.usage import board_section
from .cli import asic_target
from .cli.asic_options import require_asic_target
from .cli.build_options import parser
from .cli.command import guarded
from .cli.fpga_target import read_pins, route
from .compiler import compile_model
from .emit.build_directory import check_memory_images, usable, write
from .emit.contents import contents
from .emit.vectors import VECTORS, Vectors, random_vectors
from .estimate.block_rams import require_memory
from .estimate.predicted_cycles import predicted_cycles
from .fpga.devices import find_device
from .reporting.dry_run import dry_run


__all__ = ["build", "main"]


def build(plan, folder, *, clock_mhz=100.0, pictures=None, vectors=None, **form):
    """Writes Verilog, memory images and their description.

    Parameters
    ----------
    plan : Plan
    folder : Path
    clock_mhz : float
        Clock that synthesis aims at.
    pictures : uint8 array, shape (pictures, height, width, channels), optional
        For exact cycle counts; else they follow from the model's mean counts.
    vectors : Vectors, optional
        Pictures that the folder has logits of; four random ones if not given.
    **form
        ``readmemh``, ``load_patience``, ``image_formats``, ``asic``, ``wrapper`` and
        ``sections``, as ``contents`` of ``hw.emit.contents`` has them.

    Returns
    -------
    dict
        The cycles that stand in the description.

    Raises
    ------
    ValueError
        If memory images in the folder were changed since they were built.
    """
    if usable(folder):
        check_memory_images(folder, missing_ok=True)
    cycles = predicted_cycles(plan, pictures)
    vectors = vectors or random_vectors(plan.model)
    write(contents(plan, clock_mhz=clock_mhz, cycles=cycles, vectors=vectors, **form), folder)
    check_memory_images(folder)
    return cycles


def main(arguments=None, prog="python -m hw.build"):
    """Command line.

    Returns
    -------
    int
        Exit status: 0; 2 for input that cannot be built; 3 for a tool that failed, or a clock that
        was missed with ``--strict-clock``; 130 for Ctrl-C.
    """
    options = parser(prog).parse_args(arguments)
    return guarded(
        lambda: _run(options, prog),
        prog=prog,
        where=options.out or "standard output",
        interrupted=f"{options.out} holds finished steps only",
    )


def _device(options):
    """Device that is built for, and what helps where a core does not fit it."""
    for option in ("board", "pins"):
        if getattr(options, option) is not None and options.target != "fpga":
            raise ValueError(f"--{option} must come with --target fpga, not {options.target}")
    device = find_device(options.device)
    if options.board is None:
        return device, None
    board = find_board(options.board)
    if board.device_name != device.name:
        raise ValueError(
            f"--device must be {board.device_name} for {board.name}, not {device.name}"
        )
    return board.device, board.advice


def _check(options):
    """Raises ValueError for options that do not go together."""
    if options.out is None and not options.dry_run:
        raise ValueError("--out must name the build directory, unless --dry-run is given")
    if options.strict_clock and (options.dry_run or options.target == "sim"):
        raise ValueError(
            "--strict-clock must come with --target fpga or asic and without --dry-run, since "
            "only routing or timing tells which clock is reached"
        )
    if options.strict_clock and options.board is not None:
        raise ValueError(
            "--strict-clock must come without --board, whose clock is the fastest one that routing "
            "meets"
        )
    distinct("--images-as", options.images_as)
    require_asic_target(options)
    if options.share != 1:
        raise ValueError(
            "--share must be left out, since every column has a firing unit of its own: "
            "take fewer --columns with more --lanes-per-column"
        )


def _plan(options):
    """The model's plan."""
    return compile_model(
        golden.load(options.model),
        columns=options.columns,
        lanes=options.lanes_per_column,
        spike_code=golden.SpikeCode(options.spike_code),
        weight_width=options.weight_width,
        bus_width=options.bus_width,
    )


def _pictures(options, model):
    """Pictures whose cycles are counted, or None; and the test vectors."""
    asked = options.vectors or VECTORS
    if options.images is None:
        return None, random_vectors(model, asked)
    # A dry run sends nothing.
    count = options.count if options.dry_run else max(options.count, asked)
    found = open_source(options.images, model, count=count).images[:]
    if not options.dry_run and options.vectors is not None and len(found) < options.vectors:
        raise ValueError(
            f"--vectors must be at most the {len(found)} images of {options.images}, not "
            f"{options.vectors}"
        )
    # By its name alone: a build does not depend on where its images lie.
    source = f"from {printable(options.images.name)}"
    return found[: options.count], Vectors(found[:asked], source)


def _sections(options, plan):
    """Sections of the README."""
    if options.board is None:
        return []
    board, model = find_board(options.board), plan.model
    return [board_section(board, plan.required, model.image_shape, model.classes)]


def _run(options, prog):
    _check(options)
    device, advice = _device(options)
    plan = _plan(options)
    if options.board is not None:
        require_on_chip(plan.required)
    if options.target == "fpga" and not options.dry_run:
        require_memory(device, plan.required, advice=advice)
    pictures, vectors = _pictures(options, plan.model)
    if options.dry_run:
        print("\n".join(dry_run(plan, device, options.clock, predicted_cycles(plan, pictures))))
        return 0

    pins = read_pins(options)
    asic = options.target == "asic"
    liberty, wrapper = asic_target.prepare(options) if asic else (None, None)
    array = f"{options.columns} columns of {options.lanes_per_column} lanes"
    print(f"compiling {plan.model.name} for {array}", flush=True)
    with alone_in(options.out, "build"):
        build(
            plan,
            options.out,
            clock_mhz=options.clock,
            pictures=pictures,
            vectors=vectors,
            readmemh=not options.no_readmemh,
            image_formats=options.images_as or (),
            asic=asic,
            wrapper=wrapper,
            sections=_sections(options, plan),
        )
        print(f"Verilog and memory images are in {options.out}", flush=True)
        if asic:
            return asic_target.finish(
                options,
                prog,
                plan,
                liberty,
                pictures=pictures,
                vectors=vectors,
                progress=_say,
            )
        return route(options, prog, device, pins) if options.target == "fpga" else 0


def _say(text):
    """Tells how far a build is."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(enter(main, prog="python -m hw.build"))
