"""Which operators of the float graph run where: the table behind ``addend check`` and the docs."""

__all__ = ["GOLDEN", "HARDWARE", "NO", "WHAT_RUNS", "table"]


#: Where a node runs.
HARDWARE, GOLDEN, NO = "hardware", "golden", "no"

#: Kind of node, where it runs, and what it takes.
WHAT_RUNS = {
    "input": (HARDWARE, "8-bit pixels, times one scale; a constant channel"),
    "convolution": (
        HARDWARE,
        "any kernel, stride, padding, dilation and groups, 2 to 16 bits",
    ),
    "batch norm": (HARDWARE, "behind a convolution, folded into thresholds or weights"),
    "scale": (HARDWARE, "by a number or one per channel, folded like a batch norm"),
    "neuron": (HARDWARE, "counts 0 to 15; golden runs counts up to 255"),
    "add": (HARDWARE, "residual streams: sums of convolutions and of spikes"),
    "mean": (HARDWARE, "over all positions, of a stream or of counts"),
    "average pool": (HARDWARE, "of counts, as a depthwise convolution of ones"),
    "attention": (HARDWARE, "addend.nn.attention, of spikes, without softmax"),
    "mask": (GOLDEN, "addend.nn.masked_sum, of spikes"),
    "max pool": (HARDWARE, "of counts, or of potentials in front of neurons"),
}


def table() -> str:
    """The table in Markdown."""
    rows = [f"| {kind} | {runs} | {what} |" for kind, (runs, what) in WHAT_RUNS.items()]
    return "\n".join(["| operator | runs in | what it takes |", "|---|---|---|", *rows])
