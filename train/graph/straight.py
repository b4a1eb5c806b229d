"""Steps that training looks through: the value of one number, the gradient of another."""

__all__ = ["straight_through"]


def straight_through(value, passed):
    """``value``, whose gradient is that of ``passed``.

    Parameters
    ----------
    value, passed : float tensor
        Of the same shape; a rounded number and the number itself, for example.

    References
    ----------
    Bengio, Léonard, Courville, arXiv:1308.3432 (straight-through estimator).

    Examples
    --------
    >>> import torch
    >>> number = torch.tensor(1.75, requires_grad=True)
    >>> straight_through(number.round(), number).backward()
    >>> number.grad
    tensor(1.)
    """
    return passed + (value - passed).detach()
