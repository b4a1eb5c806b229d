"""From a build folder to a bitstream: place, route and pack what :mod:`hw.fpga.synthesis` made."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from golden.data.description import read_json
from golden.data.limits import MAX_NETLIST
from hw.fpga.synthesis import TOP, WORK, estimate, synthesise
from hw.tools.process import ToolError, ToolTimeoutError
from hw.tools.wheels import run


__all__ = [
    "OUT_OF_CONTEXT_ROUTERS",
    "ROUTERS",
    "SURE_ROUTERS",
    "Utilisation",
    "implement",
    "pack",
    "place_and_route",
]


#: Routers of nextpnr, tried in this order. The first one reaches a frequency that is some percent
#: higher, but may circle for hours around two nets that want one wire.
ROUTERS = (("--router", "router1"), ("--router", "router2"))
#: The one of them that always ends.
SURE_ROUTERS = ROUTERS[1:]
#: The same where there are no pins: there the first router circles too often. What is too slow is
#: routed again until the frequency is reached, for ever if it cannot be.
OUT_OF_CONTEXT_ROUTERS = (("--router", "router2", "--tmg-ripup"), *SURE_ROUTERS)
#: Placer of nextpnr that spreads cells by their density. The one that begins with least squares,
#: ``heap``, pulls everything into one point where there are no pins, and finds longer wires; but it
#: leaves more room for them.
PLACER = "static"
#: Seconds after which a netlist counts as one that the first of them cannot route: some four times
#: what a slow machine needs.
PATIENCE = 120
PATIENCE_PER_CELL = 0.04


@dataclass(frozen=True, kw_only=True)
class Utilisation:
    """What a routed accelerator takes of its device.

    Parameters
    ----------
    device, package : str
    lut, ff, bram, dsp : int
        LUTs (also those inside carry chains and distributed memories), flip-flops,
        block RAMs of 18 kbit, and DSP cells.
    fmax_mhz, clock_mhz : float
        Clock frequency after routing, slowest corner, and the one asked for.
    seed : int
        Of the placer.
    """

    device: str
    package: str
    lut: int
    ff: int
    bram: int
    dsp: int
    fmax_mhz: float
    clock_mhz: float
    seed: int

    def as_dict(self):
        """Fields by name, for a report."""
        return asdict(self)


def place_and_route(
    folder,
    *,
    device,
    package,
    clock_mhz,
    seed=1,
    limit=7200,
    out_of_context=False,
    routers=ROUTERS,
    placer=PLACER,
    top=TOP,
    speed="6",
    pins=None,
):
    """Place and route a synthesised accelerator.

    A clock that is missed is no failure: the frequency reached is in the result. If the first
    router takes far longer than a netlist of this size does, another one begins anew.

    Parameters
    ----------
    folder : Path
        Build folder, after :func:`synthesise`.
    device : Device
    package : str
    clock_mhz : float
        Frequency to aim at.
    seed : int
        Of the placer: another one finds another placement, faster or slower by some percent.
    limit : float
        Time limit in seconds, of the last attempt.
    out_of_context : bool
        Ports are wires that end somewhere, as if the design were part of a larger one, and no pins.
    routers : sequence of tuple of str
        Options of nextpnr that choose the routers to try.
    placer : str
        Of nextpnr.
    top : str
        Top module, as :func:`synthesise` has it.
    speed : str
        Speed grade.
    pins : str, optional
        Text of the constraints; without it, pins are placed where they route best.

    Returns
    -------
    Utilisation

    Raises
    ------
    ToolError
        If nextpnr is missing or fails.
    """
    folder = Path(folder)
    if out_of_context:
        outside = ["--out-of-context"]
    else:
        # A copy, since tools see no file outside, and a file of the user's is never written.
        name = f"{top}.lpf" if pins is None else f"{WORK}/{top}.lpf"
        (folder / name).write_text(
            "# Pins are placed where they route best; a board adds LOCATE lines.\n"
            f'FREQUENCY PORT "aclk" {clock_mhz:g} MHZ;\n'
            if pins is None
            else pins
        )
        outside = ["--lpf", name, "--lpf-allow-unconstrained"]
        outside += ["--textcfg", f"{WORK}/{top}.config"]
    _route(
        folder,
        [
            device.option,
            "--package",
            package,
            "--speed",
            speed,
            "--placer",
            placer,
            "--json",
            f"{WORK}/netlist.json",
            "--report",
            f"{WORK}/nextpnr.json",
            "--freq",
            f"{clock_mhz:g}",
            "--timing-allow-fail",
            "--seed",
            seed,
            *outside,
        ],
        routers=routers,
        limit=limit,
    )
    report = read_json(
        folder / WORK / "nextpnr.json", "the report of nextpnr-ecp5", limit=MAX_NETLIST
    )
    if not report["fmax"]:
        raise ToolError("nextpnr-ecp5 found no clock: the accelerator must have registers")
    used = {cell: number["used"] for cell, number in report["utilization"].items()}
    return Utilisation(
        device=device.name,
        package=package,
        lut=used["TRELLIS_COMB"],
        ff=used["TRELLIS_FF"],
        bram=used["DP16KD"],
        dsp=used["MULT18X18D"] + used["ALU54B"],
        fmax_mhz=min(clock["achieved"] for clock in report["fmax"].values()),
        clock_mhz=clock_mhz,
        seed=seed,
    )


def _route(folder, arguments, *, routers, limit):
    """Run nextpnr with one router after another until one comes to an end."""
    cells = read_json(folder / WORK / "yosys.json", "the report of Yosys")["design"]["num_cells"]
    patience = min(limit, PATIENCE + PATIENCE_PER_CELL * cells)
    for router in routers:
        last = router == routers[-1]
        try:
            run(
                "nextpnr-ecp5",
                [*arguments, *router],
                folder=folder,
                log=f"{WORK}/nextpnr.log",
                limit=limit if last else patience,
            )
        except ToolTimeoutError:
            if last:
                raise
            name = " ".join(router[1:])
            print(
                f"{name} has not ended after {patience:.0f} s, trying the next one",
                file=sys.stderr,
                flush=True,
            )
        else:
            break


def pack(folder, *, top=TOP, options=("--compress",), limit=600):
    """Write the bitstream of a routed accelerator.

    Parameters
    ----------
    folder : Path
        Build folder, after :func:`place_and_route`.
    top : str
        Top module, as :func:`synthesise` has it.
    options : sequence of str
        Of ecppack.
    limit : float
        Time limit in seconds.

    Returns
    -------
    Path
        ``{top}.bit`` in the folder; it appears only when it is complete.

    Raises
    ------
    ToolError
        If ecppack is missing or fails.
    """
    folder = Path(folder)
    partial = f"{WORK}/{top}.bit"
    run(
        "ecppack",
        [*options, f"{WORK}/{top}.config", partial],
        folder=folder,
        log=f"{WORK}/ecppack.log",
        limit=limit,
    )
    return (folder / partial).replace(folder / f"{top}.bit")


def implement(folder, *, device, clock_mhz, seed=1, pins=None, progress=print):
    """Synthesise, check that it fits, place, route and pack.

    Parameters
    ----------
    folder : Path
        Build folder.
    device : Device
    clock_mhz : float
        Frequency to aim at.
    seed : int
        Of the placer.
    pins : str, optional
        Text of the constraints, as ``place_and_route`` has it.
    progress : callable
        Takes one sentence per step.

    Returns
    -------
    Utilisation

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    ValueError
        If the accelerator does not fit the device.
    """
    folder = Path(folder)
    # The bitstream of an earlier build must not be taken for that of a build which fails.
    (folder / f"{TOP}.bit").unlink(missing_ok=True)
    progress("synthesising")
    cells = synthesise(folder)
    device.require(**estimate(cells))
    package = device.package(cells["pins"])
    progress(f"placing and routing for {device.name} in {package}")
    utilisation = place_and_route(
        folder, device=device, package=package, clock_mhz=clock_mhz, seed=seed, pins=pins
    )
    progress("writing the bitstream")
    pack(folder)
    return utilisation
