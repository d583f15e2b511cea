"""The inpainting net: one small U-Net, applied from coarse to fine, that corrects what the next coarser level filled in."""
import torch
from torch import nn
from torch.nn import functional as F

# Of relaxation per level: enough where the level below is already smooth.
ROUNDS = 6


class Block(nn.Module):
    """Two 3x3 convolutions added to their input."""

    def __init__(self, channels, dilation=1):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, dilation, dilation)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x):
        return x + self.second(F.relu(self.first(x)))


class InpaintNet(nn.Module):
    """Picture [N,3,H,W] in 0..1 whose hole is filled roughly, mask [N,1,H,W] (1 = unknown) -> better picture; sides: multiples of 8."""

    def __init__(self, channels=(32, 64, 128), dilations=(1, 2, 4, 1, 2, 4)):
        super().__init__()
        self.config = {'channels': channels, 'dilations': dilations}
        a, b, c = channels
        self.stem = nn.Conv2d(16, a, 3, 1, 1)
        self.enter_a = Block(a)
        self.down_b = nn.Conv2d(a, b, 2, 2)
        self.enter_b = Block(b)
        self.down_c = nn.Conv2d(b, c, 2, 2)
        self.middle = nn.Sequential(*[Block(c, d) for d in dilations])
        self.up_b = nn.Conv2d(c, 4 * b, 1)
        self.leave_b = Block(b)
        self.up_a = nn.Conv2d(b, 4 * a, 1)
        self.leave_a = Block(a)
        self.head = nn.Conv2d(a, 12, 3, 1, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def trunk(self):
        """The kernels that Muon trains."""
        blocks = [self.enter_a, self.enter_b, *self.middle, self.leave_b, self.leave_a]
        return [kernel for block in blocks for kernel in (block.first.weight, block.second.weight)]

    def forward(self, picture, mask):
        x = torch.cat([picture - 0.5, mask], 1)
        return picture + self.correct(F.relu(self.stem(F.pixel_unshuffle(x, 2))))

    def correct(self, a):
        """The correction of the picture, from its first features."""
        a = self.enter_a(a)
        b = self.enter_b(self.down_b(a))
        c = self.middle(self.down_c(b))
        b = self.leave_b(b + F.pixel_shuffle(self.up_b(c), 2))
        a = self.leave_a(a + F.pixel_shuffle(self.up_a(b), 2))
        return F.pixel_shuffle(self.head(F.relu(a)), 2)


def halve(picture, mask):
    """Averages of the known pixels of each 2x2 block, and the share of it that is unknown."""
    known = F.avg_pool2d(1 - mask, 2)
    return F.avg_pool2d(picture * (1 - mask), 2) / known.clamp_min(1e-6), 1 - known


def double(picture):
    return F.interpolate(picture, scale_factor=2, mode='bilinear')


def relax(picture, hole):
    """A few steps towards the average of the four neighbours, in the hole."""
    for _ in range(ROUNDS):
        x = F.pad(picture, (1, 1, 1, 1), mode='replicate')
        mean = (x[:, :, 2:, 1:-1] + x[:, :, :-2, 1:-1] + x[:, :, 1:-1, 2:] + x[:, :, 1:-1, :-2]) / 4
        picture = torch.where(hole, mean, picture)
    return picture


def membrane(picture, mask):
    """The smoothest fill of what is wholly unknown (Laplace's equation), from coarse to fine: sides of any length."""
    height, width = picture.shape[2:]
    if height * width == 1:
        return picture
    even = (0, width % 2, 0, height % 2)
    coarse = membrane(*halve(F.pad(picture, even), F.pad(mask, even, value=1)))
    return refine(picture, mask, coarse)


def refine(picture, mask, coarse):
    hole = mask > 0.999
    start = double(coarse)[:, :, :picture.shape[2], :picture.shape[3]]
    return relax(torch.where(hole, start, picture), hole)


def fill(net, picture, mask, levels):
    """What every level makes of the picture, finest first, each with its membrane; all corrections of coarser levels are kept."""
    if levels > 1:
        below = fill(net, *halve(picture, mask), levels - 1)
        result, smooth = below[0]
        smooth, correction = refine(picture, mask, smooth), double(result - smooth)
    else:
        below, smooth, correction = [], membrane(picture, mask), torch.zeros_like(picture)
    start = torch.where(mask > 0, smooth + correction, picture)
    return [(torch.where(mask > 0, net(start, mask), picture), smooth), *below]
