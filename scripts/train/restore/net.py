"""The restoring net: a trunk at half resolution that is told how damaged the picture is, and adds what is missing."""
import torch
from torch import nn
from torch.nn import functional as F

CONDITIONS = ('noise', 'jpeg', 'blur')


class Block(nn.Module):
    """Two activated convolutions around a shortcut."""

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


class Restorer(nn.Module):
    """RGB float [N,3,H,W] in 0..1, even sides, and conditions [N,3] in 0..1 to the restored [N,3,H,W], unclipped."""

    def __init__(self, channels=72, blocks=9):
        super().__init__()
        self.config = {'channels': channels, 'blocks': blocks}
        self.head = nn.Conv2d(12 + len(CONDITIONS), channels, 3, padding=1)
        self.body = nn.Sequential(*[Block(channels) for _ in range(blocks)])
        self.tail = nn.Conv2d(channels, 12, 3, padding=1)
        nn.init.normal_(self.tail.weight, std=1e-3)
        nn.init.zeros_(self.tail.bias)

    @property
    def radius(self):
        """How many pixels away a pixel can still change the result."""
        return 2 * (2 + 2 * len(self.body)) + 1

    def forward(self, picture, conditions):
        half = F.pixel_unshuffle(picture, 2)
        maps = conditions[:, :, None, None].expand(-1, -1, *half.shape[2:])
        x = self.head(torch.cat([half - 0.5, maps], 1))
        residual = self.tail(self.body(x))
        # Nothing to repair is nothing to change: the conditions' largest scales the correction.
        gate = conditions.amax(1).clamp(0, 0.04)[:, None, None, None] / 0.04
        return picture + gate * F.pixel_shuffle(residual, 2)
