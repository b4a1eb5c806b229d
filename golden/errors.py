"""The error of a model that breaks a rule."""

__all__ = ["ModelError"]


class ModelError(ValueError):
    """A model, or the file that holds it, breaks a rule; the message is one sentence."""
