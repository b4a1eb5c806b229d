"""Latencies that ``accelerator.json`` says are those that are measured."""

from types import MappingProxyType
from typing import NamedTuple

import pytest
from amaranth.lib.wiring import In

from golden import SpikeCode
from hw.isa.fields import pack
from hw.isa.spike_word import End, word_layout
from hw.rtl.address_generator import AddressGenerator
from hw.rtl.bank import UNDER_WAY, Bank
from hw.rtl.column import Column
from hw.rtl.event_encoder import EventEncoder
from hw.rtl.firing import FiringUnit
from hw.rtl.lanes import Lanes
from hw.rtl.latencies import latencies
from hw.rtl.packer import SpikePacker
from hw.rtl.pixels import PixelWriter
from hw.rtl.steps import step_layout
from hw.rtl.token_sum import TokenSum
from hw.rtl.word_queue import WordQueue
from hw.rtl.word_reader import WordReader
from sim.runner import SimulationError
from tests.engines import run_testbench, sizes


pytestmark = pytest.mark.sim

CONFIG = sizes(lanes=6, code=SpikeCode.SPLIT)


class Case(NamedTuple):
    """A component, what is given to it beside what is held, and the output that is watched."""

    component: object
    given: dict
    watched: str
    held: dict = MappingProxyType({})
    stays: bool = False
    mask: int = -1


def layer(**fields):
    return pack(CONFIG.layer, fields)


#: A word of one spike that ends its job, and the step that it comes of.
WORD = pack(word_layout(CONFIG), {"silent": 0b111110, "row": 1, "ends": 1, "end": End.JOB})
STEP = pack(
    step_layout(CONFIG),
    {"valid": 1, "columns": 1, "jobs": 1, "mask": 0b111111, "ends": 1, "last": 1, "chosen": 1},
)
#: Every weight is -1.
ROWS = {"weights__data": -1 % (1 << 2 * CONFIG.weight_word)}

CASES = {
    "pixel writer: beat to write": Case(
        PixelWriter(CONFIG), {"pixels__valid": 1}, "pixel", {"enable": 1, "last_pixel": 5}
    ),
    "address generator: tile to step": Case(
        AddressGenerator(CONFIG),
        {"tile__valid": 1},
        "step",
        {"layer": layer(last_columns=1)},
        stays=True,
        mask=1,
    ),
    "word reader: step to word": Case(WordReader(CONFIG, number=0), {"step": STEP}, "valid"),
    "word queue: word to word": Case(
        WordQueue(shape=9, room=UNDER_WAY), {"write": 1, "data": 5}, "words__valid"
    ),
    "event encoder: word to event": Case(
        EventEncoder(CONFIG),
        {"words__valid": 1, "words__payload": WORD},
        "events__valid",
        {"events__ready": 1},
    ),
    "bank: word to event": Case(
        Bank(CONFIG), {"write": 1, "word": WORD}, "events__valid", {"events__ready": 1}
    ),
    "bank: word to row": Case(
        Bank(CONFIG), {"write": 1, "word": WORD}, "row__0", {"events__ready": 1} | ROWS
    ),
    "lanes: row to sum": Case(
        Lanes(lanes=6, row_width=4, width=12, weights=(2, 1, 1)),
        {"valid": 1, "last": 1},
        "closes",
    ),
    "column: step to sum": Case(Column(CONFIG, number=0), {"step": STEP}, "readout__ready"),
    "firing unit: release to neuron": Case(FiringUnit(CONFIG), {"release": 1}, "fired__valid"),
    "packer: neuron to word": Case(SpikePacker(CONFIG), {"fired__valid": 1}, "request"),
    "token sum: start to word": Case(TokenSum(CONFIG), {"start": 1}, "spikes", mask=1),
}


@pytest.fixture
def measured(project_root, tmp_path):
    """Function that holds a case against a number of cycles."""

    def check(case, cycles):
        ports = case.component.signature.flatten(case.component)
        parameters = {
            "inputs": ["__".join(map(str, path)) for path, port, _ in ports if port.flow is In],
            "given": case.given,
            "watched": case.watched,
            "held": dict(case.held),
            "stays": case.stays,
            "mask": case.mask,
            "cycles": cycles,
        }
        run_testbench(
            case.component,
            "sim.testbenches.tb_latency",
            parameters,
            folder=tmp_path,
            cache=project_root / "build" / "sim",
        )

    return check


def test_every_latency_is_measured():
    assert set(CASES) == set(latencies(CONFIG))


@pytest.mark.parametrize("name", CASES)
def test_a_latency_is_that_of_the_verilog(measured, name):
    measured(CASES[name], latencies(CONFIG)[name])


def test_another_latency_is_noticed(measured):
    with pytest.raises(SimulationError, match="3 cycles, not 4"):
        measured(CASES["event encoder: word to event"], 4)
