#!/usr/bin/env python3
"""Measure an upscaler beside bicubic and Lanczos: PSNR of BT.601 luma, mean over each folder's pictures."""
import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from data import shrink
from net import Upscaler


def luma(picture):
    """BT.601 studio-range luma of an 8-bit RGB picture, as super-resolution papers measure it."""
    return 16 + np.asarray(picture, np.float64) @ np.array([65.481, 128.553, 24.966]) / 255


def psnr(guess, truth, border):
    """Decibels between two pictures without a border, where interpolation lacks neighbours."""
    error = (luma(guess) - luma(truth))[border:-border, border:-border]
    return 10 * np.log10(255**2 / np.mean(error**2))


def from_checkpoint(path):
    """The averaged net of a checkpoint, as a function of 8-bit pictures."""
    saved = torch.load(path, map_location='cpu')
    net = Upscaler(**saved['config']).to(memory_format=torch.channels_last).eval()
    net.load_state_dict(saved['ema'])

    def upscale(picture):
        with torch.no_grad():
            pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
            return (net(pixels)[0].permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy()
    return net.scale, upscale


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('folders', type=Path, nargs='+')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--each', action='store_true', help='a line for every picture')
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    scale, upscale = from_checkpoint(o.checkpoint)
    every = []
    print(f'{"x" + str(scale):24} bicubic Lanczos  model')
    for folder in o.folders:
        rows = []
        for path in sorted(p for p in folder.iterdir() if p.suffix == '.png'):
            truth = Image.open(path).convert('RGB')
            truth = truth.crop((0, 0, truth.width // scale * scale, truth.height // scale * scale))
            small = shrink(truth, scale)
            guesses = [small.resize(truth.size, Image.BICUBIC), small.resize(truth.size, Image.LANCZOS), upscale(small)]
            rows.append([psnr(guess, truth, scale) for guess in guesses])
            if o.each:
                report(path.stem, rows[-1:])
        report(folder.name, rows)
        every += rows
    report('all', every)


def report(name, rows):
    bicubic, lanczos, model = np.mean(rows, 0)
    print(f'{name:24} {bicubic:7.3f} {lanczos:7.3f} {model:6.3f}  {model - bicubic:+.3f} over bicubic')


if __name__ == '__main__':
    main()
