"""Layers with a gradient of their own: that of torch, whatever is asked for."""

import pytest
import torch
from torch.nn import functional

from guda_ros.learning.layers import relu_layers


def plain(values, weights, biases):
    """Return the same with torch's own gradients."""
    for index, (weight, bias) in enumerate(zip(weights, biases)):
        values = torch.baddbmm(bias, values, weight)
        if index < len(weights) - 1:
            values = functional.relu(values)
    return values


@pytest.mark.parametrize('outputs', [1, 3])
@pytest.mark.parametrize('hidden', [(), (8,), (8, 5, 7)])
@pytest.mark.parametrize('of_values, of_parameters', [(1, 1), (1, 0), (0, 1)])
def test_values_and_gradients_are_those_of_torch(outputs, hidden, of_values, of_parameters):
    generator = torch.Generator().manual_seed(0)
    sizes = (4, *hidden, outputs)

    def tensor(*shape, asked):
        return torch.randn(shape, generator=generator).requires_grad_(bool(asked))

    values = tensor(2, 6, 4, asked=of_values)
    weights = [tensor(2, *pair, asked=of_parameters) for pair in zip(sizes, sizes[1:])]
    biases = [tensor(2, 1, size, asked=of_parameters) for size in sizes[1:]]
    asked = [part for part in (values, *weights, *biases) if part.requires_grad]
    found, expected = relu_layers(values, weights, biases), plain(values, weights, biases)
    assert torch.equal(found, expected)
    factor = torch.randn(found.shape, generator=generator)
    for mine, theirs in zip(
        torch.autograd.grad(found, asked, factor), torch.autograd.grad(expected, asked, factor)
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-6)


def test_it_is_the_derivative():
    generator = torch.Generator().manual_seed(1)
    shapes = (1, 3, 2), (1, 2, 5), (1, 5, 1), (1, 1, 5), (1, 1, 1)
    values, *parameters = (
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes
    )
    assert torch.autograd.gradcheck(
        lambda *parts: relu_layers(parts[0], parts[1:3], parts[3:]), (values, *parameters)
    )
