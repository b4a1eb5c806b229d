"""How torch spells what the float graph has: one small handler for each spelling.

A handler is called with the follower, the node of ``torch.fx`` and, for a module, the module. It
appends a node, or keeps the value that a call returns.
"""

from train.spellings.follower import Follower
from train.spellings.tables import FUNCTIONS, METHODS, MODULES


__all__ = ["FUNCTIONS", "METHODS", "MODULES", "Follower"]
