"""Everything that a simulated accelerator stored, held against the golden model."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from hw.compiler.expected import expected_contents


__all__ = ["Comparison", "compare_counters", "compare_image", "read_captures"]


@dataclass
class Comparison:
    """What was compared so far.

    Parameters
    ----------
    images, tensors, values : int
        Images, tensors of all images, and their elements.
    mismatches : int
        Words that are missing, additional, or different, and logits and counters that differ.
    first : str or None
        The first of them: image, tensor, channel and position.
    checks : dict of str to int
        Mismatches by the check that noticed them.
    """

    images: int = 0
    tensors: int = 0
    values: int = 0
    mismatches: int = 0
    first: str | None = field(default=None)
    checks: dict = field(default_factory=dict)

    def note(self, check, image, what):
        """Counts one mismatch that a check noticed."""
        self.mismatches += 1
        self.checks[check] = self.checks.get(check, 0) + 1
        if self.first is None:
            self.first = f"image {image}, {what}"

    def add_mismatches(self, other):
        """Counts the mismatches of another comparison, too."""
        self.mismatches += other.mismatches
        self.first = self.first or other.first
        for check, count in other.checks.items():
            self.checks[check] = self.checks.get(check, 0) + count


def read_captures(folder):
    """Writes that were captured: memory name to (image, layer) to list of (address, word).

    Images are numbered from the last reset; pixels have a layer number of their own.
    """
    captures = {}
    for path in sorted(folder.glob("*.log")):
        if path.stem == "sim":
            continue
        writes = defaultdict(list)
        with path.open() as lines:
            for line in lines:
                tag, address, word = line.split()
                tag = int(tag, 16)
                writes[tag >> 12, tag & 0xFFF].append((int(address, 16), int(word, 16)))
        captures[path.stem] = writes
    return captures


def compare_image(comparison, plan, result, image, captures, outcome, *, captured_as=None):
    """Adds one image to a comparison: every stored word, every logit, and the additions.

    Parameters
    ----------
    comparison : Comparison
    plan : Plan
    result : golden.Result
        With trace.
    image : int
        Index in ``result``.
    captures : dict
        From ``read_captures``.
    outcome : dict
        Of the image, from ``sim.testbenches.tb_accelerator``.
    captured_as : int, optional
        Number of the image since reset, if it is not ``image``.
    """
    number = image if captured_as is None else captured_as
    expected = defaultdict(dict)
    names = {*result.outputs}
    for entry in expected_contents(plan, result.tensors, image):
        names.add(entry.tensor.partition(" ")[0])
        slots = expected[entry.memory, entry.layer]
        for index, address in enumerate(entry.addresses.tolist()):
            slots[address] = entry, index

    for (memory, layer), slots in expected.items():
        _compare_writes(
            comparison, number, memory, slots, captures.get(memory, {}).get((number, layer), [])
        )
    for memory, writes in captures.items():
        for (captured_image, layer), found in writes.items():
            if captured_image == number and (memory, layer) not in expected and memory != "sums":
                comparison.note(
                    "words",
                    number,
                    f"{memory}: {len(found)} writes in layer {layer} that the model does not make",
                )

    for index, (got, want) in enumerate(
        zip(outcome["logits"], result.logits[image].tolist(), strict=True)
    ):
        if got != want:
            comparison.note("logits", number, f"logits, class {index}: {got}, golden {want}")
    # Of maps that only the core forms, golden has no tensor.
    names &= {*result.tensors}
    comparison.images += 1
    comparison.tensors += len(names)
    comparison.values += sum(int(np.prod(result.tensors[name].shape[1:])) for name in names)


def compare_counters(comparison, number, outcome, previous):
    """Holds what the core says of an image against what was seen at its ports.

    Parameters
    ----------
    comparison : Comparison
    number : int
        Of the image.
    outcome : dict
        Of the image, from ``sim.testbenches.tb_accelerator``.
    previous : dict or None
        Of the image before, since the latest reset.
    """
    # Both the first pixel beat and the last logit beat count.
    since = outcome["begun"] - 1
    if previous is not None:
        since = max(since, previous["ended"])
    seen = outcome["ended"] - since
    if outcome["cycles"] != seen:
        comparison.note("counters", number, f"{outcome['cycles']} cycles counted, seen {seen}")


def _compare_writes(comparison, image, memory, slots, writes):
    """Every address once (sums: at last) with its word, and no other address."""
    found = {}
    for address, word in writes:
        if address not in slots:
            comparison.note(
                "words",
                image,
                f"{memory}: a write to address {address:#x} that the model does not make",
            )
        elif address in found and memory != "sums":
            entry, index = slots[address]
            channel, position = entry.locate(index, 0)
            comparison.note(
                "words",
                image,
                f"{entry.tensor}, channel {channel}, position {position}: stored more than once",
            )
        found[address] = word
    for address, (entry, index) in slots.items():
        word = found.get(address)
        if word != entry.words[index]:
            channel, position = entry.locate(index, 0 if word is None else word)
            got = "nothing stored" if word is None else f"stored {word:#x}"
            comparison.note(
                "words",
                image,
                f"{entry.tensor}, channel {channel}, position "
                f"{position}: {got}, golden "
                f"{int(entry.words[index]):#x} "
                f"({memory} address {address:#x})",
            )
