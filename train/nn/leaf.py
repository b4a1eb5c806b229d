"""Functions that tracing keeps whole."""

from functools import wraps

from torch.fx import Proxy


__all__ = ["leaf"]


def leaf(function):
    """Let ``torch.fx`` see a call of ``function`` as one node, wherever it was imported to."""

    @wraps(function)
    def call(*args, **kwargs):
        for value in (*args, *kwargs.values()):
            if isinstance(value, Proxy):
                return value.tracer.create_proxy("call_function", call, args, kwargs)
        return function(*args, **kwargs)

    return call
