#!/usr/bin/env python3
"""PSNR of a checkpoint on folders of clean pictures: colour noise, JPEG, blur, and a clean picture left alone."""
import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

import data
from net import Restorer


def psnr(a, b):
    return 10 * np.log10(1 / np.mean((a.astype(np.float64) - b) ** 2))


def luma(x):
    return x @ np.array([0.299, 0.587, 0.114])


@torch.no_grad()
def restore(net, picture, conditions):
    height, width = picture.shape[:2]
    x = torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32))
    x = F.pad(x, (0, width % 2, 0, height % 2), mode='replicate')
    y = net(x, torch.tensor([conditions], dtype=torch.float32))[0, :, :height, :width]
    return np.round(y.numpy().transpose(1, 2, 0).clip(0, 1) * 255) / 255


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('folders', type=Path, nargs='+')
    o = parser.parse_args()
    torch.set_num_threads(1)
    saved = torch.load(o.checkpoint, map_location='cpu', weights_only=False)
    net = Restorer(**saved['config'])
    net.load_state_dict(saved['ema'])
    for folder in o.folders:
        rows = []
        for path in sorted(folder.iterdir()):
            clean = np.asarray(Image.open(path).convert('RGB'), np.float32) / 255
            rng = np.random.default_rng(7)
            found = []
            for sigma in (15, 25, 50):
                noisy = np.round(np.clip(clean + rng.normal(0, sigma / 255, clean.shape), 0, 1) * 255) / 255
                fixed = restore(net, noisy, [sigma / data.MOST_NOISE, 0, 0])
                found += [psnr(noisy, clean), psnr(fixed, clean)]
            for quality in (10, 20, 40):
                coded = data.jpeg(clean, quality, 2)
                fixed = restore(net, coded, [0, (100 - quality) / 100, 0])
                found += [psnr(luma(coded), luma(clean)), psnr(luma(fixed), luma(clean))]
            soft = data.gaussian_blur(clean, 1.0)
            fixed = restore(net, np.round(soft * 255) / 255, [0, 0, 0.5])
            found += [psnr(soft, clean), psnr(fixed, clean)]
            rows.append(found)
        mean = np.mean(rows, 0)
        names = [f'noise {s}' for s in (15, 25, 50)] + [f'jpeg {q} luma' for q in (10, 20, 40)] + ['blur 1.0']
        for index, name in enumerate(names):
            print(f'{folder.name} {name}: damaged {mean[2 * index]:.2f} restored {mean[2 * index + 1]:.2f} dB')


if __name__ == '__main__':
    main()
