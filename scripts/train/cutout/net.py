"""The cut-out net: a residual encoder-decoder with skip connections; half-resolution features, sub-pixel alpha."""
import torch
from torch import nn
from torch.nn import functional as F


def conv(i, o, stride=1, dilation=1):
    """3x3 convolution, batch normalisation, ReLU."""
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, dilation, dilation, bias=False), nn.BatchNorm2d(o), nn.ReLU(True))


class Residual(nn.Module):
    def __init__(self, c, dilation=1):
        super().__init__()
        self.body = conv(c, c, dilation=dilation)

    def forward(self, x):
        return x + self.body(x)


class GlobalContext(nn.Module):
    """Tells every position what the whole picture looks like: gate and offset from the average features."""

    def __init__(self, c):
        super().__init__()
        self.squeeze = nn.Conv2d(c, c // 2, 1)
        self.excite = nn.Conv2d(c // 2, 2 * c, 1)

    def forward(self, x):
        pooled = x.mean((2, 3), keepdim=True)
        both, c = self.excite(F.relu(self.squeeze(pooled))), self.squeeze.in_channels
        return x * torch.sigmoid(both[:, :c]) + both[:, c:]


class CutoutNet(nn.Module):
    """RGB in 0..1, sides multiples of 32 -> one logit per pixel."""

    widths = (24, 40, 64, 96, 128)

    def __init__(self):
        super().__init__()
        c0, c1, c2, c3, c4 = self.widths
        self.stem = conv(12, c0)  # after space-to-depth: full detail at a quarter of the positions
        self.down1 = nn.Sequential(conv(c0, c1, 2), Residual(c1))
        self.down2 = nn.Sequential(conv(c1, c2, 2), Residual(c2), Residual(c2))
        self.down3 = nn.Sequential(conv(c2, c3, 2), Residual(c3), Residual(c3), Residual(c3))
        self.down4 = nn.Sequential(conv(c3, c4, 2), Residual(c4), Residual(c4, 2), GlobalContext(c4), Residual(c4, 3))
        self.up3 = conv(c4 + c3, c3)
        self.up2 = conv(c3 + c2, c2)
        self.up1 = conv(c2 + c1, c1)
        self.up0 = conv(c1 + c0, 32)
        self.head = nn.Conv2d(32, 4, 3, 1, 1)  # the four sub-pixels of each half-resolution position
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
        nn.init.normal_(self.head.weight, std=0.01)

    def forward(self, x):
        return self.decode(self.stem(F.pixel_unshuffle(x - 0.5, 2)))

    def decode(self, x0):
        """From the stem's features to the logits."""
        x1 = self.down1(x0)
        x2 = self.down2(x1)
        x3 = self.down3(x2)
        y = self.up3(join(self.down4(x3), x3))
        y = self.up2(join(y, x2))
        y = self.up1(join(y, x1))
        y = self.up0(join(y, x0))
        return F.pixel_shuffle(self.head(y), 2)


def join(deep, skip):
    """Upsamples by a fixed factor of two, so that the exported graph holds scales and no sizes."""
    return torch.cat([F.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=False), skip], 1)


def macs(net, side):
    """Multiply-accumulates of all convolutions for one picture of side x side."""
    total, hooks = [0], []

    def count(m, _, out):
        total[0] += out.shape[2] * out.shape[3] * m.weight.numel()

    for m in net.modules():
        if isinstance(m, nn.Conv2d):
            hooks.append(m.register_forward_hook(count))
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, side, side))
    for h in hooks:
        h.remove()
    return total[0]
