"""Accuracy over additions of several models: a table and a picture."""

from golden.analysis.charts import scatter
from golden.analysis.front import front


__all__ = ["curve_point", "pareto", "picture", "table"]


def curve_point(name, model, statistics, code):
    """Figures of a model, as JSON values.

    Parameters
    ----------
    name : str
        Of the model's file, or of its folder.
    model : IntegerModel
    statistics : ActivityStatistics
        Of images with labels.
    code : SpikeCode

    Returns
    -------
    dict
        ``name``; ``penalty``, the weight of additions that the model was trained with, or None
        where its notes do not say; ``code``; ``images``; ``additions`` per image; ``accuracy`` in
        integers, 0 to 1.
    """
    total = sum(layer.additions[code] for layer in statistics.layers.values())
    return {
        "name": name,
        "penalty": model.notes.get("spike_penalty"),
        "code": code.value,
        "images": statistics.images,
        "additions": total / statistics.images,
        "accuracy": statistics.right / statistics.images,
    }


def pareto(points):
    """Points that no other one equals or beats in both additions and accuracy, cheapest first."""
    return front(points, lambda point: (point["additions"], -point["accuracy"]))


def table(points):
    """Table in Markdown; shares are of the additions of the most accurate model."""
    best = max(points, key=lambda point: point["accuracy"])
    rows = [
        [
            "model",
            "penalty",
            f"additions per image, {best['code']}",
            "share",
            f"accuracy in integers, {best['images']:,} image{'s'[: best['images'] != 1]}",
        ],
        ["---"] * 5,
    ]
    rows += [
        [
            point["name"],
            "" if point["penalty"] is None else f"{point['penalty']:g}",
            f"{point['additions']:,.0f}",
            # Without a single spike there is nothing to compare with.
            f"{point['additions'] / (best['additions'] or 1):.1%}",
            f"{point['accuracy']:.2%}",
        ]
        for point in points
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def picture(points):
    """The points as an SVG file; a line goes through those of the front."""
    return scatter(
        [_place(point) for point in points],
        front=[_place(point) for point in pareto(points)],
        axes=(f"additions per image, {points[0]['code']}", "accuracy in integers"),
        labels=[
            point["name"]
            if point["penalty"] is None
            else f"{point['name']}, penalty {point['penalty']:g}"
            for point in points
        ],
        formats=(",.0f", ".1%"),
        linear=True,
    )


def _place(point):
    return point["additions"], point["accuracy"]
