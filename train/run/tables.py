"""Tables of a training configuration: how weights become integers, schedule, pre-training, data."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from golden.spike import SpikeCode


__all__ = ["DataConfig", "FitConfig", "PretrainConfig", "QuantiseConfig"]


#: Numbers are finite: every one has bounds, which NaN is never between.
Positive = Annotated[int, Meta(ge=1, le=2**16)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
NonNegative = Annotated[float, Meta(ge=0, le=1e15)]
Rate = Annotated[float, Meta(gt=0, le=1e15)]
Epochs = Annotated[int, Meta(ge=0, le=1_000_000)]
Batch = Annotated[int, Meta(ge=2, le=2**24)]
Many = Annotated[int, Meta(ge=0, le=2**31)]


class QuantiseConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the weights become integers.

    Parameters
    ----------
    weight_bits : int
        2 to 8; weights are within ``+-(2**(weight_bits - 1) - 1)``.
    max_fraction_bits : int
        Most fraction bits that a residual stream may have.
    """

    weight_bits: Annotated[int, Meta(ge=2, le=8)] = 8
    max_fraction_bits: Annotated[int, Meta(ge=1, le=20)] = 14


class FitConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Training schedule.

    Parameters
    ----------
    float_epochs, quantised_epochs : int
        Epochs of the float SFA network (0 for a run that starts from trained weights), then of
        quantisation-aware training (0 for a run that ends with float weights).
    frozen_epochs : int
        Last quantised epochs, which run with fixed batch-norm statistics and scales: what is
        trained there is what is exported.
    batch : int
        Images per step.
    float_rate, quantised_rate : float
        Peak learning rates; each phase decays to 0 along a cosine.
    warmup : float
        Part of each phase in which the rate rises.
    weight_decay, label_smoothing : float
    spike_penalty : float
        Weight, in the loss, of the additions per image over those of one spike everywhere.
    penalty_warmup : float
        Part of float training, and of all that follows it, in which that weight rises from 0.
    addition_code : SpikeCode, optional
        In which the additions are those that hardware executes, of all layers that read spikes.
        Without it they are mean counts of convolutions, as if no tap fell on padding.
    precision : str
        ``float32``; ``float64``; or ``bfloat16``, in which layers compute while parameters stay
        ``float32`` (mixed precision, for a GPU).
    clip : float
        Largest norm of a step's gradient; 0 for any.
    average : float
        Decay, per step, of a moving average of the parameters that takes their place at the end of
        each phase; 0 for none.
    patience : int
        Epochs without a lower validation loss after which a phase stops early; 0 for never.
    teacher_weight : float
        Part of the teacher in the loss, if the run has one.
    temperature : float
        Of the teacher's and the network's scores.
    """

    float_epochs: Epochs
    quantised_epochs: Epochs
    frozen_epochs: Epochs
    batch: Batch
    float_rate: Rate
    quantised_rate: Rate
    warmup: Fraction = 0.1
    weight_decay: NonNegative = 0.05
    label_smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    spike_penalty: NonNegative = 0.0
    penalty_warmup: Fraction = 0.0
    addition_code: SpikeCode | None = None
    precision: Literal["float32", "float64", "bfloat16"] = "float32"
    clip: NonNegative = 0.0
    average: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    patience: Many = 0
    teacher_weight: Fraction = 0.5
    temperature: Rate = 2.0

    def __post_init__(self):
        if self.float_epochs + self.quantised_epochs == 0:
            raise ValueError("float_epochs and quantised_epochs must not both be 0")
        if self.quantised_epochs and not self.frozen_epochs:
            raise ValueError("frozen_epochs must be at least 1, not 0")
        if self.frozen_epochs > self.quantised_epochs:
            raise ValueError(
                f"frozen_epochs must be at most quantised_epochs ({self.quantised_epochs}), "
                f"not {self.frozen_epochs}"
            )


class PretrainConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Pre-training as a masked autoencoder.

    Parameters
    ----------
    epochs, batch, rate, warmup, weight_decay, clip, precision
        As in the training schedule.
    mask : float
        Part of the patches that is hidden.
    decoder_width, decoder_depth : int
        Channels (a multiple of 16) and transformer blocks of the decoder.
    """

    epochs: Positive = 20
    batch: Batch = 64
    rate: Rate = 2e-3
    warmup: Fraction = 0.1
    weight_decay: NonNegative = 0.05
    clip: NonNegative = 0.0
    precision: Literal["float32", "bfloat16"] = "float32"
    mask: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    decoder_width: Annotated[int, Meta(ge=16, le=2**13, multiple_of=16)] = 64
    decoder_depth: Annotated[int, Meta(ge=1, le=512)] = 2


class DataConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Data set and augmentation.

    Parameters
    ----------
    name : str
        ``digits``, or ``images`` for image files in folders by class.
    resize : bool
        Images have any size: to train on, random parts are resized to the network's; those held
        back are resized whole. Otherwise images must have the network's size.
    shift : float
        Largest random shift, in pixels.
    rotation : float
        Largest random rotation, in degrees.
    scale : float
        Largest random change of size, as a part of 1.
    crop : int
        Largest random shift by whole pixels.
    flip : bool
        Mirror one image in two.
    colour : float
        Largest random change of brightness, contrast and saturation, as a part of 1.
    erase : float
        Part of the images in which a random rectangle is blank.
    validation : int
        Training images that are set aside, at random, to watch the training.
    """

    name: Annotated[str, Meta(min_length=1)]
    resize: bool = False
    shift: NonNegative = 0.0
    rotation: Annotated[float, Meta(ge=0, le=180)] = 0.0
    scale: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    crop: Annotated[int, Meta(ge=0, le=2**16)] = 0
    flip: bool = False
    colour: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    erase: Fraction = 0.0
    validation: Many = 0
