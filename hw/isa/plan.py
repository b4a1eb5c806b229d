"""The plan: where every tensor of a model lies, and what every layer does with it."""

from dataclasses import dataclass, replace

import numpy as np

import golden

from .formed_maps import complete


__all__ = ["Fill", "LayerPlan", "Plan", "SpikeMap", "TapPosition", "TapRow"]


@dataclass(frozen=True)
class Fill:
    """What a tile is filled with: so many ``rows`` from ``row`` on, and neurons from ``neuron`` on.

    Rows are those of ``Plan.rows``, a neuron stands for those of a pair of lanes. ``place`` is that
    of the rows in the buffers; those of the tile before lie there ``again``, so that they must have
    been read.
    """

    row: int
    rows: int
    neuron: int
    place: int
    again: bool

    def in_words(self, rows_at_once):
        """The same with words of so many rows in place of rows, as ``CoreConfig.fill`` has it."""
        return replace(self, row=self.row // rows_at_once, rows=self.rows // rows_at_once)


@dataclass(frozen=True)
class TapRow:
    """One row of taps of a batch, which are output lines that the columns compute side by side.

    ``offset`` and ``row`` are added to the addresses of the first word and row; ``columns`` has a
    bit for each column for whose line this row of taps lies inside the map.
    """

    offset: int
    row: int
    columns: int


@dataclass(frozen=True)
class TapPosition:
    """Taps of one output position that lie inside the map.

    ``offset`` and ``row`` are added to those of the row of taps. ``steps`` is, less one, the number
    of words that are read of each row.
    """

    offset: int
    row: int
    steps: int


@dataclass(frozen=True, eq=False)
class SpikeMap:
    """Where a count tensor lies in the spike memory, or an image in the pixel memory.

    It holds all words of position 0, then those of position 1, and so on; each word holds all
    planes of its channels.

    Parameters
    ----------
    base, planes, words, positions : int
    channels : int array, shape (words, lanes)
        Channel of each bit, -1 where there is none.
    tensor : str
        Trace key of what it holds.
    pitch : int
        Words from one position to the next: more than its own, where several maps lie side by side.
    """

    base: int
    planes: int
    words: int
    positions: int
    channels: np.ndarray
    tensor: str
    pitch: int

    @property
    def size(self):
        """Words that the map has."""
        return self.words * self.positions

    def address(self, word, position):
        """Address of a word; arrays broadcast."""
        return self.base + position * self.pitch + word


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """What the array does for one layer.

    A layer of the model may take several: copies of counts that it reads, or the sums of a stream.

    Parameters
    ----------
    layer : Operator
        What is computed; its name is that of no other layer of the plan.
    descriptor : dict
        Fields of the layer descriptor.
    tiles : tuple of dict
        Fields of the tile descriptors, memory bases included; those of weights and neurons are
        places in the buffers of tiles.
    fills : tuple of Fill
        What each tile is filled with.
    size : (int, int)
        Output lines, which the columns take in turn, and positions of each.
    thresholds : tuple of int
        Of a token sum.
    channels : int array, shape (tiles, lanes)
        Output channel of each lane, -1 where there is none.
    source : SpikeMap or None
        The map that is walked; ``None`` for a token sum.
    stores : str
        Trace key of the counts or the attention memory that are stored, of the stream that is
        summed, or of the logits.
    target : SpikeMap or None
        The map that is stored, if there is one.
    stream : str or None
        Trace key of the stream that is written, if there is one.
    rows_per_tile : int
        Rows of the weight memory that each tile reads; 0 where they come from the attention memory.
    inputs : int
        Channels, or tokens, whose spikes one tap of a job reads.
    taps : float
        Mean taps of a job inside the map.
    """

    layer: object
    descriptor: dict
    tiles: tuple
    size: tuple
    thresholds: tuple
    channels: np.ndarray
    source: SpikeMap | None
    stores: str
    target: SpikeMap | None = None
    stream: str | None = None
    rows_per_tile: int = 0
    inputs: int = 0
    taps: float = 1.0
    fills: tuple = ()

    @property
    def name(self):
        """Name of the layer."""
        return self.layer.name

    @property
    def jobs(self):
        """Number of jobs: output positions times tiles."""
        return len(self.tiles) * self.size[0] * self.size[1]


@dataclass(frozen=True, eq=False)
class Plan:
    """A model, laid out for an array.

    Parameters
    ----------
    model : IntegerModel
    required : CoreConfig
        The smallest configuration that holds the model.
    layers : tuple of LayerPlan
    maps : dict of str to SpikeMap
        Of every count tensor in the spike memory, of the pixels, and of copies by their layer.
    rows : int8 or int16 array, shape (rows, lanes)
        Weight vectors of all tiles.
    neurons : list of (int, tuple of int)
        Neurons of all tiles: bias and thresholds. Those of a word follow each other.
    windows : list of TapRow and TapPosition
        The memory of tap windows.
    formed : dict of str to FormedMap
        Maps that the model does not have.
    """

    model: object
    required: object
    layers: tuple
    maps: dict
    rows: np.ndarray
    neurons: list
    windows: list
    formed: dict

    def tap_positions(self, planned):
        """Tap windows of the positions of a layer's lines; none of a token sum."""
        if not planned.tiles:
            return ()
        base = planned.descriptor["position_base"]
        return self.windows[base : base + planned.size[1]]

    def tap_rows(self, planned, tile):
        """Rows of taps of each batch of a layer's tile."""
        number, base = tile["tap_rows"] + 1, tile["tap_row_base"]
        return [
            self.windows[begin : begin + number]
            for begin in range(base, base + (planned.descriptor["batches"] + 1) * number, number)
        ]

    @property
    def fills(self):
        """What all tiles are filled with, in the order in which they are computed."""
        return [fill for layer in self.layers for fill in layer.fills]

    def additions(self, tensors, code=None):
        """Additions that each image causes in each layer, copies included.

        Parameters
        ----------
        tensors : dict of str to int64 array
            Trace of a golden run.
        code : SpikeCode, optional
            That of the core, if not given.

        Returns
        -------
        dict of str to int64 array, shape (images,)
        """
        executed = replace(self.model, layers=tuple(planned.layer for planned in self.layers))
        return golden.additions_per_image(
            executed, complete(tensors, self.formed), code or self.required.spike_code
        )
