"""Sizes of a complete dense core, and the layout of what it knows of a layer."""

from dataclasses import dataclass
from math import prod

from amaranth.lib import data
from amaranth.utils import bits_for

from golden.model.ranges import widths
from golden.model.shapes import tensor_infos

from .dense_engine import DenseSize
from .work import dense_work


__all__ = ["LEVELS", "PROGRAM_WIDTH", "DenseShape"]


#: Loops of a layer, the innermost first.
LEVELS = ("words", "taps_across", "taps_down", "tiles", "across", "down")
#: Bits of a word of the program.
PROGRAM_WIDTH = 32


@dataclass(frozen=True, kw_only=True)
class DenseShape:
    """Sizes of everything around a dense engine.

    Parameters
    ----------
    engine : DenseSize
    units : int
        Firing units, which divide the engine's outputs.
    max_count : int
    pixel_channels : int
    residual_width, threshold_width : int
        Bits of a residual or another total, and of a threshold, which may lie beyond all of them.
    weight_depth, count_depth, pixel_depth, neuron_depth, residual_depth, program_depth : int
        Words of each memory: a word has what the engine or all firing units take in a cycle.
    """

    engine: DenseSize
    units: int
    max_count: int
    pixel_channels: int
    residual_width: int
    threshold_width: int
    weight_depth: int
    count_depth: int
    pixel_depth: int
    neuron_depth: int
    residual_depth: int
    program_depth: int

    def __post_init__(self):
        if self.engine.inputs != self.engine.outputs:
            raise ValueError(
                f"Inputs must be as many as outputs, {self.engine.outputs}, "
                f"not {self.engine.inputs!r}"
            )
        if self.units < 1 or self.engine.outputs % self.units:
            raise ValueError(
                f"Firing units must divide the {self.engine.outputs} outputs, not be {self.units!r}"
            )

    @classmethod
    def of(cls, model, engine, *, units):
        """The least that a model needs, each of its tensors stored no longer than it is read."""
        known, needed = tensor_infos(model), widths(model)
        works = dense_work(model, engine)

        def words(names):
            infos = [known[name] for name in names if known[name].kind == "counts"]
            return sum(one.positions * -(-one.channels // engine.inputs) for one in infos)

        counts = [
            words({*layer.reads, f"{layer.name}.counts"} & set(known)) for layer in model.layers
        ]
        residuals = [info for info in known.values() if info.kind == "stream"]
        # Sums over tokens aside, which cost nothing here.
        bits = [needed[name] for name in works]
        width = max(value for one in bits for key, value in one.items() if key != "memory")
        tiles = {name: -(-work.outputs // engine.outputs) for name, work in works.items()}
        # Weights stay, elements of attention make room for those of the next attention.
        kept, passing = 0, 0
        for layer in model.layers:
            if layer.name in works:
                work = works[layer.name]
                size = tiles[layer.name] * -(-work.terms // engine.inputs) * work.weight_digits
                if hasattr(layer, "weight"):
                    kept += size
                else:
                    passing = max(passing, size * layer.heads)
        pixels = next(iter(known.values()))
        shape = cls(
            engine=engine,
            units=units,
            max_count=model.max_count,
            pixel_channels=pixels.channels,
            residual_width=width,
            threshold_width=width + 1,
            weight_depth=kept + passing,
            count_depth=max(counts),
            pixel_depth=pixels.positions,
            neuron_depth=sum(tiles.values()) * engine.outputs // units,
            residual_depth=max(prod(one.shape) for one in residuals) // units,
            program_depth=1,
        )
        return cls(**vars(shape) | {"program_depth": len(model.layers) * shape.layer_words})

    @property
    def word_width(self):
        """Bits of a word of counts, one of which the engine takes in a cycle."""
        return self.engine.inputs * self.engine.count_width

    @property
    def slice_width(self):
        """Bits of a slice of a word of weights: those that belong to one of the inputs."""
        return self.engine.outputs * self.engine.weight_width

    @property
    def neuron(self):
        """Layout of what firing one output channel needs."""
        return data.StructLayout({
            "bias": self.threshold_width,
            "thresholds": data.ArrayLayout(self.threshold_width, self.max_count),
        })

    @property
    def memories(self):
        """Memories that the load port fills: name to (width, depth)."""
        return {
            "weights": (self.slice_width, self.weight_depth * self.engine.inputs),
            "neurons": (self.units * self.neuron.size, self.neuron_depth),
            "program": (PROGRAM_WIDTH, self.program_depth),
        }

    @property
    def count_address(self):
        """Bits of an address of counts or pixels."""
        return bits_for(max(self.count_depth, self.pixel_depth) - 1)

    @property
    def out_address(self):
        """Bits of an address of counts, or of weights that are computed."""
        return bits_for(max(self.count_depth, self.weight_depth) - 1)

    @property
    def digits(self):
        """Digits of a sum that is stored as weights, each a bit narrower than a weight."""
        return -(-self.residual_width // (self.engine.weight_width - 1))

    @property
    def layer(self):
        """Layout of a layer: its loops, where it reads, what it adds to and where it writes."""
        coordinate = bits_for(self.pixel_depth) // 2 + 3
        return data.StructLayout({
            "limits": data.StructLayout({
                "words": 8,
                "taps_across": 3,
                "taps_down": 3,
                "tiles": 7,
                "across": coordinate,
                "down": coordinate,
            }),
            # From step to step of each loop.
            "steps": data.ArrayLayout(self.count_address, len(LEVELS)),
            "count": self.count_address,
            "weight": bits_for(self.weight_depth - 1),
            "left": coordinate,
            "top": coordinate,
            "stride": 3,
            "width": coordinate,
            "height": coordinate,
            "pixels": 1,
            "digit": bits_for(-(-8 // self.engine.count_width) - 1),
            "depthwise": 1,
            # Positions of a line that only fill the windows of a depthwise layer.
            "primes": 3,
            "neuron": bits_for(self.neuron_depth - 1),
            "residual": bits_for(self.residual_depth - 1),
            "adds": 1,
            "shift": 4,
            "destination": 2,
            "digits": bits_for(self.digits - 1),
            "out": self.out_address,
            # To the next tile, position, and position whose slices begin again.
            "out_steps": data.ArrayLayout(self.out_address, 3),
            "final": 1,
        })

    @property
    def layer_words(self):
        """Words of the program that a layer takes."""
        return -(-self.layer.size // PROGRAM_WIDTH)
