"""
Layers with ReLU between them as one step of autograd, with fewer new tensors.

torch's own graph makes a new tensor for the gradient before and behind each ReLU, and takes the
gradient of a layer with one output as a matrix product. With thousands of rows, as in CQL, that is
a seventh of the critics' time. The numbers are the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.autograd.function import once_differentiable


def relu_layers(
    values: torch.Tensor, weights: Sequence[torch.Tensor], biases: Sequence[torch.Tensor]
) -> torch.Tensor:
    """
    Return the outputs (N, B, out) of N stacked networks with ReLU between their layers.

    :param values: (N, B, in). weights: of each layer (N, in, out). biases: (N, 1, out).
    """
    return _ReluLayers.apply(values, *weights, *biases)


class _ReluLayers(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: torch.Tensor, *parameters) -> torch.Tensor:
        count = len(parameters) // 2
        weights, biases, inputs = parameters[:count], parameters[count:], []
        for index, (weight, bias) in enumerate(zip(weights, biases)):
            inputs.append(values)
            values = torch.baddbmm(bias, values, weight)
            if index < count - 1:
                values.relu_()
        ctx.save_for_backward(*inputs, *weights)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: torch.Tensor):
        count = len(ctx.saved_tensors) // 2
        inputs, weights = ctx.saved_tensors[:count], ctx.saved_tensors[count:]
        of_weights, of_biases = [None] * count, [None] * count
        for index in reversed(range(count)):
            if ctx.needs_input_grad[1 + index]:
                of_weights[index] = torch.bmm(inputs[index].mT, gradient)
                of_biases[index] = gradient.sum(dim=1, keepdim=True)
            if index == 0 and not ctx.needs_input_grad[0]:
                return (None, *of_weights, *of_biases)
            weight = weights[index].mT
            outer = weight.shape[1] == 1
            gradient = gradient * weight if outer else torch.bmm(gradient, weight)
            if index > 0:
                # In place: no gradient passes where the ReLU put out zero.
                torch.ops.aten.threshold_backward.grad_input(
                    gradient, inputs[index], 0.0, grad_input=gradient
                )
        return (gradient, *of_weights, *of_biases)
