"""What every layer of a network can be asked for."""

from dataclasses import dataclass


__all__ = ["Layer"]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A step of the network, in the form that the integer model has.

    Each method is one interpreter's step: it reads tensors of the run and adds the layer's own.

    Parameters
    ----------
    name : str
        Of the layer in the integer model.
    """

    name: str

    @property
    def counts(self):
        """Name of the tensor of its counts."""
        return f"{self.name}.counts"

    @property
    def fires(self):
        """Whether a neuron makes counts of it."""
        return getattr(self, "firing", None) is not None

    @property
    def reads(self):
        """Names of the tensors that it reads."""
        raise NotImplementedError

    def fan_outs(self, run):
        """Tensors whose spikes cause its additions, and how many sums a spike is added to.

        Returns
        -------
        list of (str, int or int array)
            The number is an array of shape (height, width) where it depends on the position.
        """
        return []

    def float(self, run):
        """Real numbers, as the float network computes them; see `train.interpret.float_run`."""
        raise NotImplementedError

    def quantised(self, run):
        """The same with weights on their grids, differentiable; by default as in ``float``."""
        self.float(run)

    def grid(self, run):
        """Look at the weights and say on which grid they lie; nothing by default."""

    def integer(self, run):
        """Whole numbers in float64; see `train.interpret.integer_run`."""
        raise NotImplementedError

    def lower(self, run):
        """Append layers of the integer model; see `train.interpret.lower`."""
        raise NotImplementedError
