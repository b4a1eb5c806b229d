"""Where tiles lie in the buffers of columns: in places that hold them, rarely where one is read."""

from itertools import pairwise

import pytest

import golden
from golden import SpikeCode
from hw.compiler import compile_model


@pytest.fixture(scope="module")
def model(project_root):
    return golden.load(project_root / "tests" / "data" / "cifar10-nano.safetensors")


def plan_of(model, *, lanes=16, bus_width=64, tile_depths=None):
    return compile_model(
        model,
        columns=4,
        lanes=lanes,
        spike_code=SpikeCode.SPLIT,
        bus_width=bus_width,
        tile_depths=tile_depths,
    )


def test_a_second_place_that_is_deeper_than_the_first_one_is_refused(model):
    with pytest.raises(ValueError, match="second place must be at most the 1152 of the first one"):
        plan_of(model, tile_depths=(1152, 1200))


@pytest.mark.parametrize(
    ("lanes", "bus_width", "depths"),
    [
        # A device holds the core with two deep places.
        (16, 64, (1152, 1152)),
        # Only so one does.
        (18, 64, (1296, 972)),
        # None does.
        (16, 0, (1152, 1152)),
    ],
)
def test_the_second_place_is_smaller_only_where_a_device_then_holds_the_core(
    model, lanes, bus_width, depths
):
    assert plan_of(model, lanes=lanes, bus_width=bus_width).required.tile_depths == depths


@pytest.mark.parametrize(("second", "waiting"), [(1152, 0), (864, 2336), (100, 19962)])
def test_a_tile_lies_where_there_is_room_and_waits_for_the_one_that_lies_there(
    model, second, waiting
):
    plan = plan_of(model, tile_depths=(1152, second))
    fills, stride = plan.fills, plan.required.tile_stride
    tiles = [tile for planned in plan.layers for tile in planned.tiles]
    for tile, fill in zip(tiles, fills, strict=True):
        assert fill.rows <= plan.required.tile_depths[fill.place]
        if fill.rows:
            assert tile["row"] == fill.place * stride
    for before, fill in pairwise(fills):
        meets = before.rows and fill.rows and fill.place == before.place
        assert fill.again == bool(meets)
    assert not fills[0].again
    assert sum(fill.rows for fill in fills if fill.again) == waiting


def test_a_core_whose_places_are_too_small_is_refused(model):
    with pytest.raises(ValueError, match="has 1000 rows per tile, and the model needs 1152"):
        plan_of(model, tile_depths=(1000, 1000))
