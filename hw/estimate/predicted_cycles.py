"""The cycles that a build is said to take: exact where that is quick, and estimated elsewhere."""

import golden

from .cycles import predict, synthetic_tensors
from .mean_cycles import estimate


__all__ = ["EXACT_LIMIT", "predicted_cycles"]


#: Cycles times columns up to which the cycle model runs; it does two million of them in a second.
EXACT_LIMIT = 2_000_000


def predicted_cycles(plan, pictures=None):
    """Cycles per picture and layer: from the cycle model, or estimated where that would take long.

    Returns
    -------
    dict
        ``from`` (``images`` or ``mean counts``, and whether ``estimated``), ``images``, ``total``
        and ``period`` (see ``Cycles``) and, per layer, ``cycles`` and ``additions``: means over the
        pictures.
    """
    source, count = ("mean counts", 1) if pictures is None else ("images", len(pictures))
    quick = estimate(plan)
    exact = quick.total * plan.required.columns <= EXACT_LIMIT
    if pictures is not None:
        tensors = golden.run(plan.model, pictures, trace=True).tensors
    elif exact:
        tensors = synthetic_tensors(plan.model)
    if pictures is not None or exact:
        additions = {
            name: int(numbers.sum()) / count for name, numbers in plan.additions(tensors).items()
        }
    if exact:
        predicted = [predict(plan, tensors, index) for index in range(count)]
        total, period = (
            sum(getattr(p, name) for p in predicted) / count for name in ("total", "period")
        )
        layers = {
            layer.name: (sum(p.layers[number] for p in predicted) / count, additions[layer.name])
            for number, layer in enumerate(plan.layers)
        }
    else:
        source = f"{source}, estimated"
        if pictures is not None:
            quick = estimate(plan, additions)
        total, period, layers = quick.total, quick.period, quick.layers
    return {
        "from": source,
        "images": count,
        "total": total,
        "period": period,
        "layers": {
            name: {"cycles": cycles, "additions": added} for name, (cycles, added) in layers.items()
        },
    }
