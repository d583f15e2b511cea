"""Training pictures: crops of photographs and generated pictures, and free-form masks."""
import json
import queue
import threading
from pathlib import Path

import cv2
import numpy as np

# Folder and reduction of each pool (see ../upscale/data.py, which decodes them), and how many of a hundred crops it gives.
SHARES = {('photos', 1): 22, ('photos', 2): 30, ('photos', 4): 20, ('clothing', 1): 12, ('generated', 1): 10, ('generated', 2): 6}


class Pool:
    """The memory-mapped pictures of one kind at one size; the large ones are cropped more often."""

    def __init__(self, folder, reduction, side):
        sizes = np.array(json.loads((folder / 'sizes.json').read_text())) // reduction
        self.sizes = sizes
        areas = sizes.prod(1)
        self.starts = np.concatenate([[0], np.cumsum(areas)[:-1]]) * 3
        fits = areas * (sizes.min(1) >= side)
        self.odds = fits / fits.sum()
        self.samples = np.memmap(folder / f'x{reduction}.u8', np.uint8, 'r')

    def crop(self, rng, side):
        index = rng.choice(len(self.odds), p=self.odds)
        height, width = self.sizes[index]
        start = self.starts[index]
        picture = self.samples[start:start + height * width * 3].reshape(height, width, 3)
        y, x = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
        return picture[y:y + side, x:x + side]


def augment(rng, picture):
    """Turns, mirrors and sometimes changes the colours; float32 in 0..1."""
    picture = np.rot90(picture, rng.integers(4))
    picture = (picture[:, ::-1] if rng.random() < 0.5 else picture).astype(np.float32) / 255
    if rng.random() < 0.5:
        mix = np.eye(3) + rng.normal(0, 0.1, (3, 3))
        mix = (mix / mix.sum(1, keepdims=True) * rng.uniform(0.6, 1.2)).T.astype(np.float32)
        picture = np.clip(picture @ mix + np.float32(rng.uniform(-0.1, 0.1)), 0, 1)
    return picture


def stroke(rng, mask, width):
    """A brush stroke that wanders, as a hand draws it (Yu et al. 2019, Free-Form Image Inpainting with Gated Convolution)."""
    side = len(mask)
    point = rng.random(2) * side
    angle = rng.random() * 2 * np.pi
    for _ in range(rng.integers(1, 8)):
        angle += rng.normal(0, 0.8)
        further = point + rng.uniform(0.1, 0.4) * side * np.array([np.cos(angle), np.sin(angle)])
        ends = [tuple(int(v) for v in end) for end in (point, further)]
        cv2.line(mask, *ends, 1, width)
        cv2.circle(mask, ends[1], width // 2, 1, -1)
        point = further


def blob(rng, mask):
    """A rectangle or a turned ellipse."""
    side = len(mask)
    centre, half = rng.integers(0, side, 2), (side * rng.uniform(0.05, 0.28, 2)).astype(int)
    if rng.random() < 0.4:
        cv2.rectangle(mask, tuple(map(int, centre - half)), tuple(map(int, centre + half)), 1, -1)
    else:
        cv2.ellipse(mask, tuple(map(int, centre)), tuple(map(int, half)), float(rng.random() * 180), 0, 360, 1, -1)


def free_form(rng, side):
    """Strokes of one width and blobs, over 3 to 50 % of a square: 1 = unknown."""
    mask = np.zeros((side, side), np.uint8)
    aim = rng.uniform(0.03, 0.45)
    width = int(round(3 * (0.36 * side / 3) ** rng.random()))
    blobs = rng.random() < 0.25
    while mask.mean() < aim:
        before = mask.copy()
        if blobs and rng.random() < 0.6:
            blob(rng, mask)
        else:
            stroke(rng, mask, width)
        if mask.mean() > aim + 0.15:
            mask = before
            if before.any():
                break
            width = max(3, width // 2)
    return mask


class Batches:
    """Endless batches, prepared one thread ahead; the state of its generator makes runs resumable."""

    def __init__(self, cache, side, batch, seed):
        self.pools = {key: Pool(Path(cache) / key[0], key[1], side) for key in SHARES
                      if (Path(cache) / key[0] / 'sizes.json').exists()}
        shares = np.array([SHARES[key] for key in self.pools], float)
        self.keys, self.shares = list(self.pools), shares / shares.sum()
        self.side, self.batch = side, batch
        self.rng = np.random.default_rng(seed)
        self.queue = queue.Queue(4)

    def start(self):
        """Begin preparing, after any saved generator state has been restored."""
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self):
        while True:
            chosen = self.rng.choice(len(self.keys), self.batch, p=self.shares)
            pictures = [augment(self.rng, self.pools[self.keys[k]].crop(self.rng, self.side)) for k in chosen]
            masks = [free_form(self.rng, self.side) for _ in chosen]
            self.queue.put((np.stack(pictures).transpose(0, 3, 1, 2), np.stack(masks)[:, None].astype(np.float32),
                            self.rng.bit_generator.state))

    def next(self):
        """Pictures [N,3,h,w], masks [N,1,h,w], and the generator's state after them."""
        return self.queue.get()
