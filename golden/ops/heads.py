"""Maps of counts, seen as the heads of attention."""


__all__ = ["by_head"]


def by_head(counts, heads):
    """View of a map as (images, heads, channels of a head, tokens)."""
    if counts.size and counts.min() < 0:
        raise ValueError(f"Counts must not be negative, not {counts.min()}")
    return counts.reshape(len(counts), heads, counts.shape[1] // heads, -1)
