"""Published networks as ordinary modules, with the parameter names of their checkpoints."""
