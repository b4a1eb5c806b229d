"""What commands leave behind and read again: descriptions, checkpoints, routing, journals.

Their libraries are imported where they are needed, since every worker imports this module.
"""

import hashlib
import io
import json
import logging
import math

from golden import SpikeCode
from golden.analysis.synthetic import random_model
from golden.data.sealed import read_sealed, sealed_text
from hw.tools.process import ToolError
from tests.fuzz.mutate import VALUES, mutate, mutate_json
from tests.fuzz.reader import Reader


_DIGEST = hashlib.sha256(b"").hexdigest()


def _write_description(folder):
    from hw.compiler import compile_model
    from hw.emit.build_directory import DESCRIPTION, FORMAT, FORMAT_VERSION

    plan = compile_model(
        random_model(6, dims=(4, 4, 4, 4), heads=1),
        columns=1,
        lanes=4,
        spike_code=SpikeCode.SPLIT,
    )
    path = folder / DESCRIPTION
    path.write_text(
        sealed_text({
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "model": "m",
            "image_shape": [8, 8, 1],
            "classes": 10,
            "readmemh": True,
            "clock_mhz": 100.0,
            "config": plan.required.as_dict(),
            "ports": [{"name": "aclk", "direction": "input", "width": 1}],
            "memories": {
                "program": {
                    "number": 2,
                    "images": ["rom/program.hex"],
                    "width": 32,
                    "depth": 9,
                    "sha256": _DIGEST,
                }
            },
            "images": {"rom/program.hex": {"width": 32, "sha256": _DIGEST}},
            "spike_maps": {"a": {"base": 0, "planes": 2, "words": 1, "positions": 64}},
            "layers": [
                {"name": "a", "tiles": 1, "lines": 2, "positions": 3, "descriptor": {"b": -1}}
            ],
            "cycles": {
                "from": "images",
                "images": 1,
                "total": 9.5,
                "period": 9,
                "layers": {"a": {"cycles": 5, "additions": 2.5}},
            },
            "latencies": {"word queue: word to word": 3},
            "verilog": _DIGEST,
            "versions": {"addend": "1", "amaranth": None},
        })
    )
    return [path]


def _read_description(path):
    from hw.emit.build_directory import read_description

    return read_description(path.parent)


def _check_description(path, value):
    from hw.isa.core_config import CoreConfig

    assert value | {"sha256": 0} == json.loads(path.read_text()) | {"sha256": 0}
    assert CoreConfig.from_dict(value["config"]).as_dict() == value["config"]


def _change_sealed(data, rng, others):
    """Damage; or another value whose digest is right, so that only the form can tell."""
    match rng.randrange(4):
        case 0:
            return data.replace(b"\n", b"\r\n")
        case 1:
            return mutate(data, rng, others)
        case 2:
            return json.dumps(mutate_json(json.loads(data), rng)).encode()
    values = mutate_json(
        {key: value for key, value in json.loads(data).items() if key != "sha256"}, rng
    )
    return sealed_text(values).encode()


def _write_routed(folder):
    path = folder / "routed.json"
    path.write_text(
        sealed_text({
            "asked": {
                "verilog": _DIGEST,
                "seeds": [1, 2],
                "clock_mhz": 25.0,
                "routers": [["--router", "router1"]],
                "placer": "static",
            },
            "figures": {"lut": 4000, "fmax_mhz": 99.5},
        })
    )
    return [path]


def _read_routed(path):
    from tests.benchmark.out_of_context import KEPT_FORM

    return read_sealed(path, "what was routed", KEPT_FORM)


def _check_routed(path, value):
    assert all(map(math.isfinite, value["figures"].values()))


def _write_checkpoint(folder):
    # That a file has no digest is said by a warning, and nobody listens.
    logging.disable()
    from tests.training import run_config
    from train.interpret.find import find_grids
    from train.network.build import layered
    from train.run import checkpoint
    from train.run.fit import start

    config = run_config()
    state = start(config, folder / "none.pt", seed=0)
    state.grids = find_grids(layered(state.build()), config.quantise)
    checkpoint.save(state, folder / "a.pt")
    return [folder / "a.pt"]


def _read_checkpoint(path):
    from train.run import checkpoint

    return checkpoint.load(path)


def _check_checkpoint(path, state):
    assert all(values.isfinite().all() for values in state.network.values())
    # One of the float phase has no grids yet.
    if state.grids is not None:
        assert state.quantised() is not None


def _change_checkpoint(data, rng, others):
    """Damage; or another value in a file of the version that had no digest."""
    if rng.random() < 0.5:
        return mutate(data, rng, others)
    import torch

    contents = torch.load(io.BytesIO(data), weights_only=True)
    contents["addend-checkpoint"] = 1
    place = contents
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        inner = [value for value in place.values() if isinstance(value, dict) and value]
        place = rng.choice(inner) if inner else place
    key = rng.choice(sorted(place, key=str))
    match rng.randrange(4):
        case 0:
            del place[key]
        case 1:
            place[key] = rng.choice(VALUES[:-1])
        case 2:
            place[key] = torch.full((2, 3), rng.choice((0.0, math.nan, 1e38)))
    saved = io.BytesIO()
    torch.save(contents, saved)
    return saved.getvalue()


def _write_journal(folder):
    logging.disable()
    import optuna

    from hw.exploration.search import open_study

    path = folder / "explore.journal"
    study = open_study(optuna, str(path))
    study.set_user_attr("identity", {"model": "m", "device": "d", "images": 0})
    for number in range(3):
        trial = study.ask({"columns": optuna.distributions.CategoricalDistribution((1, 2, 3))})
        trial.set_user_attr("point", {"cycles": number})
        study.tell(trial, (1.5, 2.5))
    return [path]


def _read_journal(path):
    import optuna

    from hw.exploration.journal import mend
    from hw.exploration.search import open_study

    mend(path)
    return open_study(optuna, str(path)).get_trials()


def _check_journal(path, trials):
    lines = path.read_bytes().splitlines()
    assert len(trials) <= len(lines)
    assert all(json.loads(line)["op_code"] in range(11) for line in lines)


READERS = (
    Reader(
        "description", _write_description, _read_description, _check_description, _change_sealed
    ),
    Reader("routed", _write_routed, _read_routed, _check_routed, _change_sealed),
    Reader(
        "checkpoint", _write_checkpoint, _read_checkpoint, _check_checkpoint, _change_checkpoint
    ),
    Reader(
        "journal", _write_journal, _read_journal, _check_journal, errors=(ValueError, ToolError)
    ),
)
