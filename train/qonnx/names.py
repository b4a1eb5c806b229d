"""What nodes are called: by the paths of modules, which exporters keep in one place or another."""

import re
from dataclasses import dataclass


__all__ = ["Place", "place"]


#: Nodes that a module's ``forward`` may hold beside others.
_CALLS = {"Add", "Div", "Mul", "Reshape", "Sub", "Transpose", "Squeeze", "Unsqueeze", "Concat"}

#: Where Brevitas keeps a quantiser within the module that has it.
_INNER = re.compile(
    r"\.?\b(act_quant|input_quant|output_quant|weight_quant|bias_quant|export_handler)\b.*"
)


#: A list of names as Python writes it, and the names.
_QUOTED = re.compile(r"'([^'\\]*)'")
_LIST = re.compile(rf"\[{_QUOTED.pattern}(?:, {_QUOTED.pattern})*\]")


@dataclass(frozen=True)
class Place:
    """Name of a node, and the path of the module whose ``forward`` holds it."""

    name: str
    scope: str


def place(kind, name, scopes, number):
    """Name and scope of a node.

    Parameters
    ----------
    kind : str
    name : str
        That the file gives it: ``/block1/conv/Conv`` of torch's older exporter has its modules.
    scopes : str
        What torch's newer exporter writes beside it: a list of paths, the node's own name the last.
    number : int
        Its number among the nodes.

    Returns
    -------
    Place

    Examples
    --------
    >>> place("Conv", "/1/1.0/Conv", "", 0)
    Place(name='1.0', scope='1')
    >>> place("Quant", "/1/1.2/act_quant/export_handler/Quant", "", 0)
    Place(name='1.2', scope='1')
    >>> place("Add", "/block1/Add", "", 0)
    Place(name='block1.Add', scope='block1')
    >>> place("Conv", "node_conv", "['', 'stem', 'stem.conv', 'conv2d']", 0)
    Place(name='stem.conv', scope='stem')
    >>> place("Conv", "Conv_0", "", 0), place("Relu", "", "", 7)
    (Place(name='Conv_0', scope=''), Place(name='Relu_7', scope=''))
    """
    paths = _paths(scopes)
    if paths is None and name.startswith("/"):
        paths = name.split("/")[1:]
    if paths is None:
        return Place(_plain(name) or f"{kind}_{number}", "")
    path = ""
    for part in paths[:-1]:
        # A part is a path, or the rest of one.
        whole = not path or part == path or part.startswith(f"{path}.")
        path = part if whole else f"{path}.{part}"
    path = _plain(_INNER.sub("", path))
    if kind in _CALLS or not path:
        return Place(f"{path}.{kind}" if path else _plain(paths[-1]) or f"{kind}_{number}", path)
    return Place(path, path.rpartition(".")[0])


def _paths(scopes):
    """Paths of modules that a node's metadata holds, the name of the node behind them."""
    if not _LIST.fullmatch(scopes):
        return None
    *found, last = _QUOTED.findall(scopes)
    return [*filter(None, found), last]


def _plain(path):
    """A path without empty parts and what no module is called."""
    return ".".join(part for part in re.sub(r"[^\w.\-]", "_", path).split(".") if part)
