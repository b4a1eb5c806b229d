"""Options of ``hw.build --target asic``."""

from golden.cli.options import input_file


__all__ = ["add_asic_options", "require_asic_target"]


def add_asic_options(parser):
    """Adds them to a parser, in a group of their own."""
    group = parser.add_argument_group("options of --target asic")
    group.add_argument(
        "--liberty",
        type=input_file,
        metavar="FILE",
        help="standard cells (.lib); not given: OSU018, which `apt-get install "
        "qflow-tech-osu018` brings",
    )
    group.add_argument(
        "--sram-wrapper",
        type=input_file,
        metavar="FILE",
        help="Verilog of the memories, in place of the behavioural models of rtl/sram.v, which "
        "names their modules and ports",
    )


def require_asic_target(options):
    """Raises ValueError where such an option comes with another target."""
    for name in ("liberty", "sram_wrapper"):
        if getattr(options, name) is not None and options.target != "asic":
            raise ValueError(
                f"--{name.replace('_', '-')} must come with --target asic, not {options.target}"
            )
