#!/usr/bin/env python3
"""PSNR in the hole on whole pictures under free-form masks, beside a harmonic fill and Telea's method."""
import argparse
import math
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from data import stroke
from net import InpaintNet, fill


def brush(rng, height, width, share):
    """A mask of strokes 10 to 60 pixels wide over about this share of the picture."""
    side = max(height, width)
    mask = np.zeros((side, side), np.uint8)
    while mask[:height, :width].mean() < share:
        stroke(rng, mask, int(rng.integers(10, 61)))
    return mask[:height, :width]


def padded(picture, mask, granule):
    """Both with sides that are multiples of the granule: what is beyond the picture is unknown too."""
    height, width = mask.shape[2:]
    pad = (0, -width % granule, 0, -height % granule)
    return F.pad(picture, pad), F.pad(mask, pad, value=1)


def by_net(net, levels):
    def run(picture, mask):
        height, width = mask.shape
        p = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        m = torch.from_numpy(mask)[None, None].float()
        depth = levels or max(1, round(math.log2(min(height, width) / 32)))
        p, m = padded(p * (1 - m), m, 8 * 2**(depth - 1))
        with torch.no_grad():
            return fill(net, p, m, depth)[0][0][0, :, :height, :width].permute(1, 2, 0).numpy() * 255
    return run


def relax(picture, mask, rounds):
    """Over-relaxation of Laplace's equation where the mask says so."""
    height, width = mask.shape
    x = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode='edge')
    ys, xs = np.nonzero(mask)
    parts = [(ys[chosen] + 1, xs[chosen] + 1) for chosen in ((ys + xs) % 2 == 0, (ys + xs) % 2 == 1)]
    for _ in range(rounds):
        for y, z in parts:
            mean = (x[y - 1, z] + x[y + 1, z] + x[y, z - 1] + x[y, z + 1]) / 4
            x[y, z] += 1.7 * (mean - x[y, z])
        x[0], x[-1], x[:, 0], x[:, -1] = x[1], x[-2], x[:, 1], x[:, -2]
    return x[1:-1, 1:-1]


def harmonic(picture, mask):
    """Laplace's equation in the hole, begun with the solution at half the size."""
    start = picture.astype(np.float32)
    if min(mask.shape) > 4 and mask.any():
        height, width = mask.shape
        even = ((0, height % 2), (0, width % 2))
        known = np.pad(1 - mask, even).astype(np.float32)[..., None]
        colours = np.pad(start, (*even, (0, 0))) * known
        fold = lambda a: a.reshape(a.shape[0] // 2, 2, a.shape[1] // 2, 2, -1).mean((1, 3))
        share = fold(known)
        coarse = harmonic(fold(colours) / np.maximum(share, 1e-6), (share[..., 0] == 0).astype(np.uint8))
        wide = cv2.resize(coarse, (2 * coarse.shape[1], 2 * coarse.shape[0]))[:height, :width]
        start = np.where(mask[..., None] > 0, wide, start)
    return relax(start, mask, 60)


def telea(picture, mask):
    return cv2.inpaint(picture, mask * 255, 5, cv2.INPAINT_TELEA)


def decibels(guess, truth, mask):
    guess = np.clip(np.round(guess.astype(np.float32)), 0, 255)
    return 10 * math.log10(255**2 / np.square(guess - truth)[mask > 0].mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--levels', type=int, help='levels of the pyramid; by default down to about 32 pixels')
    parser.add_argument('--references', action='store_true', help='measure harmonic fill and Telea as well')
    parser.add_argument('--threads', type=int, default=1)
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    saved = torch.load(o.checkpoint, weights_only=False)
    net = InpaintNet(**saved['config']).eval()
    net.load_state_dict(saved['ema'])
    methods = {'net': by_net(net, o.levels)}
    if o.references:
        methods |= {'harmonic': harmonic, 'telea': telea}
    rng, rows = np.random.default_rng(7), []
    shares = (0.05, 0.1, 0.2, 0.4)
    for index, path in enumerate(sorted(o.folder.glob('*.png'))):
        truth = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        mask = brush(rng, *truth.shape[:2], shares[index % 4])
        rows.append([decibels(run(truth, mask), truth, mask) for run in methods.values()])
        print(path.stem, f'{mask.mean():.2f}', *(f'{value:.2f}' for value in rows[-1]), flush=True)
    print('mean', *(f'{name} {value:.2f}' for name, value in zip(methods, np.mean(rows, 0))), f'step {saved["step"]}')


if __name__ == '__main__':
    main()
