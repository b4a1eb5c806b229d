"""How nodes of the float graph become layers; `train.normalise` is the door."""
