"""Model files: bytes, container, graph and tensors."""

import json

import numpy as np
import safetensors.numpy

import golden
from golden.analysis.synthetic import random_model
from golden.model.file import _digest
from golden.model.shapes import shapes
from tests.fuzz.mutate import NUMBERS, mutate, mutate_json
from tests.fuzz.reader import Reader
from tests.stepped import stepped


def _write(folder):
    """Models of format 1, and one of all operators with steps, membranes and several outputs."""
    small = random_model(6, dims=(4, 4, 4, 4), heads=1)
    golden.save(small, folder / "a.safetensors")
    golden.save(
        random_model(
            7,
            image_shape=(6, 7, 3),
            dims=(4, 4, 8, 8),
            max_count=2,
            logit_shift=3,
            pixel_constant=9,
        ),
        folder / "b.safetensors",
    )
    golden.save(stepped(), folder / "c.safetensors")
    return [folder / f"{name}.safetensors" for name in "abc"]


def _check(path, model):
    """The tensors are those that the library finds, and the model runs."""
    tensors = safetensors.numpy.load(path.read_bytes())
    for layer in model.layers:
        if hasattr(layer, "weight"):
            assert np.array_equal(layer.weight, tensors[f"{layer.name}.weight"])
    if np.prod(model.image_shape) * model.input.steps < 1000:
        images, known = np.zeros((1, *model.image_shape), np.uint8), shapes(model)
        for name, values in golden.run(model, images).outputs.items():
            assert values.shape == (1, *known[name])


def _change(data, rng, others):
    length = int.from_bytes(data[:8], "little")
    entries = json.loads(data[8 : 8 + length])
    match rng.choice((0, 1, 2, 3, 3, 3)):
        case 0:
            return mutate(data, rng, others)
        case 1:
            text = json.dumps(mutate_json(entries, rng)).encode()
            return len(text).to_bytes(8, "little") + text + data[8 + length :]
        case 2:
            header = json.loads(entries["__metadata__"]["addend"])
            header = mutate_json(header | {"graph": 0}, rng) | {"graph": header["graph"]}
            return _packed(header, header["graph"], safetensors.numpy.load(data))
    header = json.loads(entries["__metadata__"]["addend"])
    tensors = safetensors.numpy.load(data)
    if rng.random() < 0.7:
        return _packed(header, mutate_json(header["graph"], rng), tensors, digest=True)
    return _packed(header, header["graph"], _other_tensors(tensors, rng), digest=True)


def _other_tensors(tensors, rng):
    name = rng.choice(sorted(tensors))
    tensor = tensors[name]
    match rng.randrange(5):
        case 0:
            limits = np.iinfo(tensor.dtype)
            tensor = tensor.copy()
            tensor.flat[rng.randrange(tensor.size)] = np.clip(
                rng.choice(NUMBERS[:-2]), limits.min, limits.max
            )
        case 1:
            tensor = tensor.reshape(rng.choice(((-1,), (1, -1), (*tensor.shape, 1))))
        case 2:
            tensor = tensor.astype(rng.choice((np.int8, np.int64, np.float32, np.uint8)))
        case 3:
            tensor = tensor[: rng.choice((0, 1))]
        case 4:
            return {key: value for key, value in tensors.items() if key != name}
    return tensors | {name: tensor}


def _packed(header, graph, tensors, *, digest=False):
    """A model file whose digest is right, if it is asked for."""
    text = json.dumps(graph)
    fields = {key: value for key, value in header.items() if key != "graph"}
    if digest:
        fields["digest"] = _digest(text, tensors)
    text = json.dumps(fields)[:-1] + f',"graph":{text}}}'
    return safetensors.numpy.save(tensors, metadata={"addend": text})


READERS = (Reader("model", _write, golden.load, _check, _change),)
