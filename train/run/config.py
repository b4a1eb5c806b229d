"""Training configuration: a TOML file, checked before anything is computed."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from golden.data.limits import MAX_TOML, MAX_TOML_DOTS
from golden.data.reading import printable, read_regular
from train.families.configuration import NetworkConfig
from train.families.own import OwnNetwork
from train.run.tables import DataConfig, FitConfig, PretrainConfig, QuantiseConfig


__all__ = [
    "CHECKPOINT",
    "FLOAT_CHECKPOINT",
    "PRETRAINED_CHECKPOINT",
    "Config",
    "ConfigError",
    "DataConfig",
    "FitConfig",
    "NetworkConfig",
    "OwnConfig",
    "PretrainConfig",
    "QuantiseConfig",
    "from_builtins",
    "load",
    "require_family",
    "to_builtins",
    "with_epochs",
]


#: Files of a run's folder: the newest state, and the last one with float weights.
CHECKPOINT = "checkpoint.pt"
FLOAT_CHECKPOINT = "float.pt"

#: File of a folder with a pre-trained network.
PRETRAINED_CHECKPOINT = "pretrained.pt"


class ConfigError(ValueError):
    """A configuration that breaks a rule, told in one sentence."""


class Config(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A complete training run; one table of the TOML file per field."""

    name: Annotated[str, Meta(min_length=1)]
    data: DataConfig
    network: NetworkConfig
    quantise: QuantiseConfig
    fit: FitConfig
    pretrain: PretrainConfig = PretrainConfig()

    def __post_init__(self):
        if self.fit.patience and not self.data.validation:
            raise ValueError("patience needs validation images, of which there must be at least 1")
        height, width, _ = self.network.image
        if self.data.resize and height != width:
            raise ValueError(f"image must be square to resize pictures, not {height}x{width}")


class OwnConfig(Config, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A training run of a user's own network; ``module`` and the network's table name it."""

    network: OwnNetwork


def require_family(config, command):
    """Raises ConfigError if a configuration is of a user's own network."""
    if isinstance(config.network, OwnNetwork):
        raise ConfigError(f"{command} needs a network of a family, and module names another one")


def _kind(values, folder=None):
    """Type of a configuration, and its values as that type has them.

    Parameters
    ----------
    values : dict
        As a TOML file or a checkpoint has them.
    folder : Path, optional
        Of the TOML file, where a module's file may lie.
    """
    if "module" in values:
        values = dict(values)
        module = values.pop("module")
        if folder is not None and isinstance(module, str):
            beside = folder / module
            module = str(beside) if Path(str(beside).rpartition(":")[0]).is_file() else module
        values["network"] = {"module": module, "keywords": values.get("network", {})}
        return OwnConfig, values
    network = values.get("network")
    return OwnConfig if isinstance(network, dict) and "keywords" in network else Config, values


def load(path):
    """Read a configuration.

    Parameters
    ----------
    path : path-like
        TOML file.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        If the file cannot be read or breaks a rule; the sentence names the file and the field.
    """
    try:
        text = read_regular(path, MAX_TOML).decode("utf-8-sig")
        _check_dots(text)
        kind, values = _kind(msgspec.toml.decode(text), Path(path).resolve().parent)
        if kind is Config:
            return msgspec.toml.decode(text, type=Config)
        return msgspec.convert(values, type=kind)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"{path}: cannot be read ({reason.lower()})") from error
    except (ConfigError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {printable(_sentence(error), 500)}") from error
    # The parser has no common exception for what it cannot follow.
    except Exception as error:
        raise ConfigError(
            f"{path}: must be TOML that can be used, without deep nesting or huge numbers"
        ) from error


def _check_dots(text):
    """The parser's time grows with the square of a key's parts."""
    if any(line.count(".") > MAX_TOML_DOTS for line in text.splitlines()):
        raise ConfigError(f"a line must hold at most {MAX_TOML_DOTS} dots")


def with_epochs(config, float_epochs, quantised_epochs):
    """Configuration with other phases; the frozen epochs are at most the quantised ones."""
    schedule = msgspec.structs.replace(
        config.fit,
        float_epochs=float_epochs,
        quantised_epochs=quantised_epochs,
        frozen_epochs=min(config.fit.frozen_epochs, quantised_epochs),
    )
    return msgspec.structs.replace(config, fit=schedule)


def to_builtins(config):
    """Configuration as plain dicts, lists and numbers, for a checkpoint."""
    return msgspec.to_builtins(config)


def from_builtins(values):
    """Inverse of :func:`to_builtins`.

    Raises
    ------
    ConfigError
        If the values break a rule.
    """
    try:
        kind, values = _kind(values)
        return msgspec.convert(values, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(_sentence(error)) from error


def _sentence(error):
    """A decoder's message without its ``$.`` path notation."""
    return str(error).replace("`$.", "`").replace(" - at `$`", "")
