"""What fills the neuron and window memories, entry by entry."""

__all__ = ["NeuronTable", "WindowTable"]


#: Threshold of a spike that is never fired, beyond every potential.
NEVER = 1 << 62


class NeuronTable:
    """Bias and thresholds of every output channel, tile by tile.

    Parameters
    ----------
    max_count : int

    Attributes
    ----------
    records : list of (int, tuple of int)
    """

    def __init__(self, max_count):
        self.max_count = max_count
        self.records = []
        self._bases = {}

    def place(self, layer, channels):
        """Address of each tile's first record.

        Tiles with the same records share them, as those of attention do.

        Parameters
        ----------
        layer : Layer
        channels : int array, shape (tiles, lanes)
            Output channel of each lane, -1 where there is none.

        Returns
        -------
        list of int
        """
        epilogue = getattr(layer, "epilogue", None)
        biases = getattr(epilogue, "bias", None)
        neuron = getattr(epilogue, "neuron", None)
        bases = []
        for tile in channels.tolist():
            records = []
            for channel in tile:
                bias, thresholds = 0, (NEVER,) * self.max_count
                if channel >= 0:
                    bias = 0 if biases is None else int(biases[channel])
                    if neuron is not None:
                        ladder = neuron.thresholds
                        thresholds = tuple(ladder[channel if len(ladder) > 1 else 0].tolist())
                records.append((bias, thresholds))
            key = tuple(records)
            if key not in self._bases:
                self._bases[key] = len(self.records)
                self.records += records
            bases.append(self._bases[key])
        return bases


class WindowTable:
    """Windows of output lines and positions; equal runs of them are stored once.

    Attributes
    ----------
    records : list of Window
    bases : dict of tuple of Window to int
        Address of each run.
    """

    def __init__(self):
        self.records = []
        self.bases = {}

    def place(self, windows):
        """Stores a run, unless there is the same one already."""
        if windows and windows not in self.bases:
            self.bases[windows] = len(self.records)
            self.records.extend(windows)

