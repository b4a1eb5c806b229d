"""Where the LUTs of a core go."""

import pytest

from golden import SpikeCode
from golden.analysis.synthetic import random_model
from hw.area import ENGINES, breakdown, main
from hw.build import build
from hw.compiler import compile_model


@pytest.mark.synthesis
@pytest.mark.full
def test_every_engine_takes_luts(tmp_path):
    plan = compile_model(
        random_model(1), columns=1, lanes=4, spike_code=SpikeCode.BIT_SERIAL, bus_width=64
    )
    build(plan, tmp_path)
    engines = breakdown(tmp_path)
    for name, _ in ENGINES:
        assert engines[name]["lut"] > 0, name


def test_a_folder_without_an_accelerator_is_refused(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "build the accelerator" in capsys.readouterr().err
