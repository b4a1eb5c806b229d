"""What tests of boards share: what golden and the cycle model say that a board answers."""

import golden
from hw.estimate.cycles import predict


__all__ = ["expected_counters"]


def expected_counters(plan, pictures):
    """Cycles and additions of pictures that come one after the other, each after the last logit.

    Parameters
    ----------
    plan : Plan
        Of the model, for the core's configuration.
    pictures : uint8 array, shape (pictures, height, width, channels)

    Returns
    -------
    list of (int, int)
    """
    tensors = golden.run(plan.model, pictures, trace=True).tensors
    added = plan.additions(tensors).values()
    return [
        (predict(plan, tensors, index).total, sum(int(of_layer[index]) for of_layer in added))
        for index in range(len(pictures))
    ]
