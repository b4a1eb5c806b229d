"""A node that has no meaning for spikes."""

__all__ = ["Unfit"]


class Unfit(Exception):  # noqa: N818
    """What is wrong with the node that is looked at: reason and remedy, parts of a sentence."""

    def __init__(self, reason, remedy):
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
