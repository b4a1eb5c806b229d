"""The contents of a build directory: Verilog, memory images, what explains and verifies them."""

import numpy as np

from golden.data.sealed import sealed_text

from ..rtl.library import WAIVERS
from ..rtl.load_port import PATIENCE
from .build_directory import DESCRIPTION, FORMAT, FORMAT_VERSION, MEMORIES, VERILOG
from .description import describe
from .handover import handover
from .image_formats import converted
from .manifest import MANIFEST, manifest
from .memory_images import (
    digest,
    image_words,
    read_hex,
    read_weights,
    slice_names,
    slice_paths,
    sliced,
    write_hex,
)
from .sram import models, sram_sizes
from .verilog import TOP, emit


__all__ = ["contents"]


def contents(
    plan,
    *,
    clock_mhz,
    cycles,
    vectors,
    readmemh=True,
    load_patience=PATIENCE,
    image_formats=(),
    asic=False,
    wrapper=None,
    sections=(),
):
    """Text of every file of a build directory.

    Parameters
    ----------
    plan : Plan
    clock_mhz : float
        Clock that the build aims at.
    cycles : dict
        What ``predicted_cycles`` of ``hw.estimate.predicted_cycles`` returned.
    vectors : Vectors
        Pictures that the folder has logits of.
    readmemh : bool
        Whether memories on chip start from their memory images; else they must be loaded.
    load_patience : int
        As ``Core`` has it.
    image_formats : sequence of str
        Formats of ``FORMATS`` in which memory images are written, too. With any, there is a
        manifest of all image files.
    asic : bool
        Whether memories are modules of their own sizes, without images; ``rtl/sram.v`` has them.
    wrapper : str, optional
        Verilog of these modules, in place of their behavioural models.
    sections : sequence of str
        Further sections of the README, such as one on a board.

    Returns
    -------
    dict of str to str
        By path in the folder; the same plan gives the same text.

    Raises
    ------
    ValueError
        If reading a memory image back does not give the model's weights exactly.
    """
    config = plan.required
    words = image_words(plan, config)
    paths = slice_paths(config)
    readmemh = readmemh and not config.external and not asic
    text, ports = emit(
        config,
        images=slice_names(config) if readmemh else None,
        load_patience=load_patience,
        asic=asic,
    )
    files = {VERILOG: text, f"rtl/{TOP}.vlt": WAIVERS.read_text()}
    sizes = sram_sizes(text) if asic else None
    if asic:
        files[MEMORIES] = models(sizes) if wrapper is None else wrapper
    images = {
        path: (part, width // slices)
        for name, (width, slices) in config.image_files.items()
        for path, part in zip(paths[name], sliced(words[name], width, slices), strict=True)
    }
    image_texts = {path: write_hex(*image) for path, image in images.items()}
    image_texts |= converted(images, image_formats)
    files |= image_texts
    if image_formats:
        files[MANIFEST] = manifest(images, image_texts)
    holds_weights = paths["external" if config.external else "weights"]
    read_back = [read_hex(files[path], images[path][1], name=path) for path in holds_weights]
    if not np.array_equal(read_weights(read_back, config), plan.rows):
        raise ValueError("Memory images of weights must give back the model's weights")

    description = {"format": FORMAT, "version": FORMAT_VERSION} | describe(
        plan,
        clock_mhz=clock_mhz,
        cycles=cycles,
        readmemh=readmemh,
        words=words,
        images={
            path: {"width": width, "sha256": digest(part, width)}
            for path, (part, width) in images.items()
        },
        verilog=text + files.get(MEMORIES, ""),
        ports=ports,
    )
    files |= handover(
        plan,
        description,
        images,
        vectors,
        sources=[path for path in files if path.endswith(".v")],
        sizes=sizes,
        sections=sections,
    )
    files[DESCRIPTION] = sealed_text(description)
    return files
