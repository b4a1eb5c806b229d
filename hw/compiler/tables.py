"""What fills the memories of neurons and of tap windows, word by word."""

from ..isa.pairs import PAIR
from .ladders import all_thresholds, bias_and_ladder


__all__ = ["NeuronTable", "TapWindowTable"]


class NeuronTable:
    """Bias and thresholds of every output channel, tile by tile.

    Parameters
    ----------
    max_count : int

    Attributes
    ----------
    neurons : list of (int, tuple of int)
        Bias and thresholds of each. Those of a word follow each other.
    """

    def __init__(self, max_count):
        self.max_count = max_count
        self.neurons = []
        self._bases = {}

    @property
    def depth(self):
        """Words of the neuron memory."""
        return len(self.neurons) // PAIR

    def place(self, layer, channels):
        """Address of each tile's first word.

        Tiles with the same words share them, as those of attention do.

        Parameters
        ----------
        layer : Layer
        channels : int array, shape (tiles, lanes)
            Output channel of each lane, -1 where there is none.

        Returns
        -------
        list of int
        """
        biases, ladder = bias_and_ladder(getattr(layer, "epilogue", None))
        bases = []
        for tile in channels.tolist():
            neurons = []
            for channel in [*tile, *[-1] * (-len(tile) % PAIR)]:
                bias, fired = 0, ()
                if channel >= 0:
                    bias = 0 if biases is None else int(biases[channel])
                    if ladder is not None:
                        fired = ladder[channel if len(ladder) > 1 else 0]
                neurons.append((bias, all_thresholds(fired, self.max_count)))
            key = tuple(neurons)
            if key not in self._bases:
                self._bases[key] = self.depth
                self.neurons += neurons
            bases.append(self._bases[key])
        return bases


class TapWindowTable:
    """Rows of taps, and positions; equal runs of them are stored once.

    Attributes
    ----------
    words : list of TapRow and TapPosition
    """

    def __init__(self):
        self.words = []
        self._bases = {}

    def place(self, run):
        """Address of a run, which is stored unless there is the same one already.

        Parameters
        ----------
        run : tuple of TapRow or tuple of TapPosition

        Returns
        -------
        int
        """
        if run not in self._bases:
            self._bases[run] = len(self.words)
            self.words.extend(run)
        return self._bases[run]
