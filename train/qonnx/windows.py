"""Where the windows of convolutions and pools lie."""

from dataclasses import dataclass

from golden.data.reading import printable
from train.qonnx.unfit import Unfit


__all__ = ["Windows"]


@dataclass(frozen=True)
class Windows:
    """Windows over rows and columns.

    Parameters
    ----------
    kernel, stride, dilation : (int, int)
    pads : (int, int, int, int)
        Before and after the rows, before and after the columns.
    outputs : (int, int)
        Windows along rows and columns.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pads: tuple[int, int, int, int]
    outputs: tuple[int, int]

    @classmethod
    def of(cls, operation, kernel, size):
        """Windows that a node's attributes say.

        Parameters
        ----------
        operation : Operation
        kernel : (int, int) or None
            ``None`` where only an attribute says it.
        size : (int, int)
            Rows and columns.
        """
        attributes = operation.attributes
        kernel = tuple(attributes.get("kernel_shape", kernel or ()))
        stride, dilation = (
            tuple(attributes.get(name, (1, 1))) for name in ("strides", "dilations")
        )
        if not len(kernel) == len(stride) == len(dilation) == len(size) == 2:
            raise Unfit("has windows over other axes than rows and columns", "use 2-D layers")
        if attributes.get("ceil_mode", 0):
            raise Unfit("rounds sizes up", "set ceil_mode to 0")
        spans = [(width - 1) * step + 1 for width, step in zip(kernel, dilation, strict=True)]
        pads = _pads(attributes, size, spans, stride)
        outputs = tuple(
            (cells + sum(pads[2 * axis : 2 * axis + 2]) - spans[axis]) // stride[axis] + 1
            for axis, cells in enumerate(size)
        )
        if min(stride) < 1:
            raise Unfit("has a stride of 0", "export it again")
        if min(pads) < 0 or min(outputs) < 1:
            raise Unfit("has no window within the map", "use a smaller kernel or more padding")
        return cls(kernel, stride, dilation, pads, outputs)

    @property
    def even(self):
        """Padding of rows and of columns, or ``None`` if two sides differ."""
        top, bottom, left, right = self.pads
        return (top, left) if (top, left) == (bottom, right) else None


def _pads(attributes, size, spans, stride):
    auto = attributes.get("auto_pad", "NOTSET")
    if auto == "NOTSET":
        top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
        return top, bottom, left, right
    if auto == "VALID":
        return 0, 0, 0, 0
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        raise Unfit(f"pads by {printable(str(auto), 40)}", "give the padding in numbers")
    pads = []
    for cells, span, step in zip(size, spans, stride, strict=True):
        missing = max(0, (-(-cells // step) - 1) * step + span - cells)
        less, more = missing // 2, missing - missing // 2
        pads += (less, more) if auto == "SAME_UPPER" else (more, less)
    return tuple(pads)
