"""Random changes of training images: each one is seen a little differently in every epoch."""

import math

import torch
import torch.nn.functional as F


__all__ = ["augment", "draw"]


#: Numbers that one image needs; each column of a draw has one use (see the functions below).
_DRAWS = 16
_AFFINE = slice(0, 4)
_CROP = slice(4, 6)
_FLIP = 6
_ERASE = slice(7, 12)
_COLOUR = slice(12, 15)

#: Part of the image that is erased.
_ERASED_AREAS = (0.02, 0.2)


def draw(images, generator):
    """Random numbers for a batch, drawn at once so that processes can share a batch.

    Parameters
    ----------
    images : int
    generator : torch.Generator

    Returns
    -------
    float tensor, shape (images, numbers)
        In [0, 1); row ``i`` decides what happens to image ``i``.
    """
    return torch.rand(images, _DRAWS, generator=generator)


def augment(images, draws, data):
    """Change every image at random.

    Parameters
    ----------
    images : float tensor, shape (images, channels, height, width)
        Pixel values 0..255.
    draws : float tensor
        From :func:`draw`.
    data : DataConfig
        How far the changes go.

    Returns
    -------
    float tensor of the same shape
        Whole pixel values 0..255; what comes from outside the image is 0.
    """
    if data.shift or data.rotation or data.scale:
        images = _move(images, 2 * draws[:, _AFFINE] - 1, data)
    if data.crop:
        images = _crop(images, draws[:, _CROP], data.crop)
    if data.flip:
        images = torch.where(draws[:, _FLIP, None, None, None] < 0.5, images, images.flip(3))
    if data.colour:
        images = _recolour(images, 2 * draws[:, _COLOUR] - 1, data.colour)
    if data.erase:
        images = _erase(images, draws[:, _ERASE], data.erase)
    return images


def _move(images, draws, data):
    """Rotate, resize and shift by parts of a pixel."""
    height, width = images.shape[2:]
    angle = draws[:, 0] * math.radians(data.rotation)
    zoom = 1 / (1 + draws[:, 1] * data.scale)
    cosine, sine = angle.cos() * zoom, angle.sin() * zoom
    # affine_grid measures in half image sizes.
    right, down = draws[:, 2] * 2 * data.shift / width, draws[:, 3] * 2 * data.shift / height
    affine = torch.stack(
        [
            torch.stack([cosine, -sine * height / width, right], 1),
            torch.stack([sine * width / height, cosine, down], 1),
        ],
        1,
    )
    grid = F.affine_grid(affine, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False).round_().clamp_(0, 255)


def _crop(images, draws, margin):
    """Cut the image's size out of the image with ``margin`` rows and columns of 0 around it."""
    height, width = images.shape[2:]
    padded = F.pad(images, (margin,) * 4)
    top, left = (draws * (2 * margin + 1)).long().unbind(1)
    rows = (top[:, None] + torch.arange(height))[:, None, :, None]
    columns = (left[:, None] + torch.arange(width))[:, None, None, :]
    image = torch.arange(len(images))[:, None, None, None]
    channel = torch.arange(images.shape[1])[None, :, None, None]
    return padded[image, channel, rows, columns]


def _recolour(images, draws, strength):
    """Change brightness, contrast and saturation by up to ``strength``, as parts of 1."""
    brightness, contrast, saturation = (1 + draws * strength)[:, :, None, None, None].unbind(1)
    images = images * brightness
    gray = images.mean(1, keepdim=True)
    images = gray + (images - gray) * saturation
    centre = gray.mean((2, 3), keepdim=True)
    return (centre + (images - centre) * contrast).round_().clamp_(0, 255)


def _erase(images, draws, part):
    """Set a rectangle to 0 in ``part`` of the images."""
    height, width = images.shape[2:]
    chosen, area, ratio, top, left = draws.unbind(1)
    area = torch.lerp(*torch.tensor(_ERASED_AREAS), area)
    stretch = torch.exp((2 * ratio - 1) * math.log(2) / 2)
    tall = (area.sqrt() * stretch * height).round().clamp(max=height)
    wide = (area.sqrt() / stretch * width).round().clamp(max=width)
    rows = _within(height, (top * (height - tall + 1)).floor(), tall)
    columns = _within(width, (left * (width - wide + 1)).floor(), wide)
    erased = rows[:, :, None] & columns[:, None] & (chosen < part)[:, None, None]
    return images.masked_fill(erased[:, None], 0)


def _within(number, first, size):
    """Which of ``number`` places lie in each range, shape (ranges, number)."""
    places = torch.arange(number)
    return (places >= first[:, None]) & (places < (first + size)[:, None])
