"""Images as networks take them."""

import torch


__all__ = ["to_maps"]


def to_maps(images):
    """Pixels as the network takes them: uint8 (N, H, W, C) to a float tensor (N, C, H, W)."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float()
