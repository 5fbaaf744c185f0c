"""The two networks of the ball detector, in PyTorch, and how they become ONNX."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from guda_ros.perception.ball_network import PATCH


def _convolution(inside: int, outside: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class _Block(nn.Module):
    """A convolution of each channel and one across channels, added to what comes in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.body(x))


class Proposer(nn.Module):
    """
    Whole picture (n, height, width, 3), BGR in [0, 255], to a map (n, 2, height/4, width/4).

    The first plane is the logit of a ball's centre being in a cell, the second the logarithm of
    its radius in cells. Sides are multiples of 16 pixels.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (8, 16, 32, 48)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = nn.Sequential(_convolution(3, a, 3, 2), _convolution(a, b, 3, 2), _Block(b))
        self.down8 = nn.Sequential(_convolution(b, c, 3, 2), _Block(c), _Block(c))
        self.down16 = nn.Sequential(_convolution(c, d, 3, 2), *(_Block(d) for _ in range(5)))
        self.up8 = nn.Conv2d(d, c, 1)
        self.up4 = nn.Conv2d(c, b, 1)
        self.merge8 = _Block(c)
        self.head = nn.Sequential(_Block(b), nn.Conv2d(b, 2, 1))
        nn.init.constant_(self.head[-1].bias, 0.0)
        with torch.no_grad():
            self.head[-1].bias[0] = -4.0

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = image.permute(0, 3, 1, 2).float() * (1 / 128) - 1
        at4 = self.stem(x)
        at8 = self.down8(at4)
        at16 = self.down16(at8)
        at8 = self.merge8(at8 + _double(self.up8(at16)))
        return self.head(torch.relu(at4 + _double(self.up4(at8))))


def _double(x: torch.Tensor) -> torch.Tensor:
    return nn.functional.interpolate(x, scale_factor=2.0, mode='nearest')


class Refiner(nn.Module):
    """
    Patches (n, 32, 32, 3), BGR in [0, 255], to (n, 6).

    The logit of a ball, its centre from the patch's in sides (column, row), logarithms of its
    width and height over half a side, and the logarithm of the centre's deviation in sides.
    """

    def __init__(self, widths: tuple[int, int, int] = (24, 48, 64)) -> None:
        super().__init__()
        a, b, c = widths
        self.body = nn.Sequential(
            _convolution(3, a, 3, 2),
            _convolution(a, b, 3, 2),
            _convolution(b, b),
            _convolution(b, c, 3, 2),
            _convolution(c, c),
            nn.Flatten(),
            nn.Linear(c * (PATCH // 8) ** 2, 64),
            nn.ReLU(inplace=True),
            nn.Dropout(0.1),
            nn.Linear(64, 6),
        )

    def forward(self, patch: torch.Tensor) -> torch.Tensor:
        return self.body(patch.permute(0, 3, 1, 2).float() * (1 / 128) - 1)


def export(network: nn.Module, path: Path, about: dict[str, str]) -> None:
    """
    Write a network as ONNX.

    :param about: what it says about itself: command, data, licences.
    """
    import onnx

    network.eval()
    if isinstance(network, Proposer):
        shape = (1, 64, 64, 3)
        axes = {'image': {1: 'height', 2: 'width'}, 'map': {2: 'rows', 3: 'columns'}}
    else:
        shape, axes = (4, PATCH, PATCH, 3), {'patches': {0: 'n'}, 'found': {0: 'n'}}
    names = list(axes)
    torch.onnx.export(
        network,
        (torch.zeros(shape, dtype=torch.uint8),),
        str(path),
        input_names=names[:1],
        output_names=names[1:],
        dynamic_axes=axes,
        dynamo=False,
    )
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, about)
    onnx.save(model, str(path))
