"""Odd arrays, and the random models that share each of their netlists."""

import re
from collections import Counter
from dataclasses import dataclass, fields, replace

import golden
from golden import SpikeCode
from hw.compiler import compile_model
from hw.emit.memory_images import memory_words
from hw.isa.core_config import EQUAL
from hw.load import lay_out

from .draw import draw
from .properties import PROPERTIES, RARE, properties
from .scope import FEATURES, Scope


__all__ = [
    "CORES",
    "MEMBERS",
    "SOAK_CORES",
    "SOAK_MEMBERS",
    "Core",
    "Group",
    "Member",
    "groups",
    "lay_out_on",
]


#: Models of format 1 that are drawn for a netlist; there is one more for each feature of format 2,
#: which hardware runs or refuses, and some with those that it runs in part.
CANDIDATES = 40
PARTLY = (
    *((feature,) for feature in FEATURES),
    *12
    * (
        ("levels",),
        ("wide weights",),
        ("groups",),
        ("axes",),
        ("sources",),
        ("sources", "levels"),
        ("groups", "axes"),
        ("epilogues",),
        ("operators",),
    ),
)

#: How many of them the netlist runs in make test, and in make soak.
MEMBERS, SOAK_MEMBERS = 4, 7

#: Numbers of models from one netlist to the next.
_DRAWN = 1000


@dataclass(frozen=True)
class Core:
    """An array, and what all of its models have in common.

    Parameters
    ----------
    columns, lanes : int
    code : SpikeCode
    bus_width : int
        0 for weights on chip, which other models reach through the load port.
    max_count, pixel_channels, pixel_constant : int
    """

    columns: int
    lanes: int
    code: SpikeCode
    bus_width: int
    max_count: int
    pixel_channels: int
    pixel_constant: int = 0

    def draw(self, seed, index):
        """Model number ``index`` of a seed, and its images."""
        number = index % _DRAWN - CANDIDATES
        features = frozenset() if number < 0 else frozenset(PARTLY[number])
        return draw(
            seed,
            index,
            Scope(
                max_count=self.max_count,
                pixel_channels=self.pixel_channels,
                pixel_constant=self.pixel_constant,
                logit_bits=34,
                channels=self.lanes + 4,
                features=features,
            ),
        )

    def compile(self, model):
        """Plan of a model for the smallest core of this array."""
        return compile_model(
            model,
            columns=self.columns,
            lanes=self.lanes,
            spike_code=self.code,
            bus_width=self.bus_width,
        )


_S, _B = SpikeCode.SPLIT, SpikeCode.BIT_SERIAL

#: Those of make test: every code, every bus, and arrays of odd sizes.
CORES = (
    Core(1, 2, _S, 0, 3, 1, 77),
    Core(3, 5, _S, 0, 4, 3),
    Core(2, 7, _B, 64, 15, 2),
    Core(1, 33, _S, 128, 8, 3, 255),
    Core(2, 7, _B, 256, 1, 1),
)

#: Those of make soak, which begin with the same.
SOAK_CORES = (
    *CORES,
    Core(3, 5, _S, 0, 2, 2, 1),
    Core(1, 33, _S, 0, 5, 4),
    Core(1, 2, _S, 64, 6, 2),
    Core(3, 5, _B, 128, 7, 1),
    Core(2, 7, _S, 256, 9, 3),
    Core(1, 2, _B, 0, 10, 1),
    Core(2, 7, _S, 0, 11, 4, 128),
    Core(3, 5, _S, 256, 12, 2),
    Core(1, 33, _B, 64, 13, 2),
    Core(2, 7, _S, 128, 14, 1, 9),
    Core(3, 5, _S, 0, 3, 3),
)


@dataclass(frozen=True, eq=False)
class Member:
    """A model that runs on a group's netlist.

    Parameters
    ----------
    index : int
        Of the draw.
    model : IntegerModel
    images : uint8 array, shape (images, height, width, channels)
    met : set of str
        Its properties.
    """

    index: int
    model: object
    images: object
    met: set


@dataclass(frozen=True, eq=False)
class Group:
    """A core that holds several models.

    Parameters
    ----------
    number : int
        Of the core in ``SOAK_CORES``.
    core : Core
    config : CoreConfig
        The least that hold all members.
    members : tuple of Member
    refused : Counter of str
        How many models were refused, by reason.
    crashed : tuple of (int, str)
        Models on which the compiler died, or which it refused in no sentence: index, and how.
    """

    number: int
    core: Core
    config: object
    members: tuple
    refused: Counter
    crashed: tuple


def groups(seed, cores, size=MEMBERS):
    """Groups of some cores; a core's group is the same whatever cores come after it.

    Of the models that are drawn for a core, those run that bring what few had before; ``size`` of
    them.

    Yields
    ------
    Group
    """
    met = Counter()
    for number, core in enumerate(cores):
        drawn, refused, crashed = _drawn(seed, number, core)
        members = []
        for _ in range(size):
            best = max(drawn, key=lambda member: _worth(member, met))
            drawn.remove(best)
            members.append(best)
            met.update(best.met)
        yield Group(number, core, _config(core, members), tuple(members), refused, crashed)


def lay_out_on(model, config):
    """Plan of a model for a larger core, whose widths its words have."""
    return replace(lay_out(model, config), required=config)


def _drawn(seed, number, core):
    """Models that the compiler takes; how many it does not, by reason; and what it dies of."""
    drawn, refused, crashed = [], Counter(), []
    first = _DRAWN * (number + 1)
    for index in range(first, first + CANDIDATES + len(PARTLY)):
        model, images = core.draw(seed, index)
        if model.max_count != core.max_count:
            refused["its largest count is not that of the core"] += 1
            continue
        try:
            core.compile(model)
        except ValueError as error:
            refused[_reason(error)] += 1
            if not _is_sentence(error, model):
                crashed.append((index, f"{model.name}: refused without layer or remedy: {error}"))
            continue
        # A legal model is built or refused in a sentence.
        except Exception as error:
            died = f"the compiler dies of {type(error).__name__}: {error}"
            crashed.append((index, f"{model.name}: {died}"))
            continue
        tensors = golden.run(model, images, trace=True).tensors
        drawn.append(Member(index, model, images, properties(model, tensors)))
    return drawn, refused, tuple(crashed)


def _reason(error):
    """A refusal without its remedy, and without names and numbers in it."""
    text = str(error).rpartition(": ")[0]
    named = re.sub(r"\b(layer\d+|head|map\d|drawn-\d+-\d+)\b[.\w]*", "X", text)
    return re.sub(r"\b\d+\b", "N", named)


def _is_sentence(error, model):
    """Whether a refusal names the layer, or the model, and what helps."""
    what, _, remedy = str(error).rpartition(": ")
    names = {model.name, *(layer.name for layer in model.layers)}
    return bool(remedy) and any(
        re.search(rf"(?<![\w.]){re.escape(name)}(?![\w])", what) for name in names
    )


def _worth(member, met):
    """What a model brings that none had, then a sum over the others: a rare one counts more."""
    known = [name for name in member.met if name in PROPERTIES]
    new = [name for name in known if not met[name] and name not in RARE]
    return len(new), sum(1 / (1 + met[name]) ** 2 for name in known)


def _config(core, members):
    """Every field as large as the member requires that requires most of it.

    But the second place of a tile is too small for the largest ones.
    """
    plans = [core.compile(member.model) for member in members]
    required = plans[0].required
    largest = replace(
        required,
        **{
            field.name: max(getattr(plan.required, field.name) for plan in plans)
            for field in fields(required)
            if field.name not in EQUAL
        },
    )
    largest = replace(largest, second_tile_rows=-(-largest.tile_rows // 4) * 2)
    # Descriptors of the program are wider where other memories are deeper.
    depth = max(len(memory_words(plan, largest)["program"]) for plan in plans)
    return replace(largest, program_depth=max(depth, largest.program_depth))
