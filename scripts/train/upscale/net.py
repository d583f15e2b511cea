"""The upscaling net: a residual 3x3 trunk at input resolution and one pixel shuffle."""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def bicubic_taps(scale):
    """The 1-D bicubic kernel (a = -0.5) of each output phase over five input pixels: [scale, 5]."""
    def kernel(x):
        x = abs(x)
        if x < 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0
    offsets = [(phase + 0.5) / scale - 0.5 for phase in range(scale)]
    return np.array([[kernel(tap - offset) for tap in range(-2, 3)] for offset in offsets])


class Block(nn.Module):
    """Two activated convolutions, each with its own identity shortcut."""

    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.first.weight)
        nn.init.zeros_(self.first.bias)
        # A quiet last convolution keeps a deep stack near the identity at the start.
        nn.init.normal_(self.second.weight, std=0.1 * (2 / (9 * channels)) ** 0.5)
        nn.init.zeros_(self.second.bias)

    def forward(self, x):
        return x + self.second(F.relu(self.first(x)))


class Upscaler(nn.Module):
    """RGB float [N,3,H,W] in 0..1 to [N,3,scale*H,scale*W], unclipped."""

    def __init__(self, scale, channels=48, blocks=8):
        super().__init__()
        self.config = {'scale': scale, 'channels': channels, 'blocks': blocks}
        self.scale = scale
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*[Block(channels) for _ in range(blocks)])
        self.tail = nn.Conv2d(channels, 3 * scale**2, 3, padding=1)
        self.skip = nn.Conv2d(3, 3 * scale**2, 5, bias=False)
        nn.init.normal_(self.tail.weight, std=1e-3)
        nn.init.zeros_(self.tail.bias)
        # Starting as plain bicubic leaves the trunk nothing but the missing detail to learn.
        taps = torch.tensor(bicubic_taps(scale), dtype=torch.float32)
        planes = torch.einsum('ai,bj->abij', taps, taps).reshape(scale**2, 5, 5)
        with torch.no_grad():
            self.skip.weight.zero_()
            for colour in range(3):
                self.skip.weight[colour * scale**2:(colour + 1) * scale**2, colour] = planes

    @property
    def radius(self):
        """How many input pixels away a pixel can still change the result."""
        return 2 + 2 * len(self.body)

    @property
    def macs(self):
        """Multiply-accumulates per input pixel."""
        return sum(p.numel() for p in self.parameters() if p.dim() == 4)

    def forward(self, x):
        # Edge padding, since zeros would darken the rim of the picture through the skip.
        skip = self.skip(F.pad(x, (2, 2, 2, 2), mode='replicate'))
        detail = self.tail(self.body(self.head(x - 0.5)))
        return F.pixel_shuffle(skip + detail.float(), self.scale)
