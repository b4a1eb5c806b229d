"""Depthwise convolution as matrices, against conv2d on whole numbers."""

import pytest
import torch
import torch.nn.functional as F

from train.projection.depthwise import depthwise


@pytest.mark.parametrize("kernel", [1, 3, 7])
@pytest.mark.parametrize("size", [(8, 8), (4, 4), (1, 5), (7, 2)])
def test_equals_conv2d(size, kernel):
    generator = torch.Generator().manual_seed(kernel)
    inputs = torch.randint(0, 5, (3, 6, *size), generator=generator).double().requires_grad_()
    weight = torch.randint(-9, 9, (6, 1, kernel, kernel), generator=generator).double()
    weight.requires_grad_()
    direction = torch.randint(-9, 9, (3, 6, *size), generator=generator)
    found = []
    for outputs in (
        depthwise(inputs, weight),
        F.conv2d(inputs, weight, padding=kernel // 2, groups=6),
    ):
        gradients = torch.autograd.grad((outputs * direction).sum(), (inputs, weight))
        found.append((outputs, *gradients))
    for ours, theirs in zip(*found, strict=True):
        assert torch.equal(ours, theirs)
