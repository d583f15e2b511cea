"""Training pairs: crops of photographs and generated pictures, damaged by blur, noise and JPEG, and how much of each."""
import importlib.util
import io
import queue
import sys
import threading
from pathlib import Path

import numpy as np
from PIL import Image


def upscale_data():
    """The pictures of the upscalers' training, whose module has the name of this one."""
    folder = Path(__file__).resolve().parents[1] / 'upscale'
    sys.path.append(str(folder))  # for what it imports itself
    spec = importlib.util.spec_from_file_location('pictures', folder / 'data.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pictures = upscale_data()

MOST_NOISE = 55  # of 255: what a noise condition of 1 means


def gaussian_blur(picture, sigma):
    """A separable Gaussian with mirrored borders on [h, w, 3] floats."""
    reach = max(1, int(3 * sigma + 0.5))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).astype(np.float32)
    taps /= taps.sum()
    for axis in (0, 1):
        width = [(reach, reach) if a == axis else (0, 0) for a in range(3)]
        padded = np.pad(picture, width, mode='reflect')
        picture = sum(tap * padded.take(range(i, i + picture.shape[axis]), axis=axis) for i, tap in enumerate(taps))
    return picture


def jpeg(picture, quality, chroma):
    """[h, w, 3] in 0..1 through Pillow's JPEG."""
    buffer = io.BytesIO()
    Image.fromarray((picture * 255 + 0.5).clip(0, 255).astype(np.uint8)).save(
        buffer, 'JPEG', quality=quality, subsampling=chroma)
    return np.asarray(Image.open(buffer), np.float32) / 255


def damage(rng, clean):
    """The damaged picture and its conditions (noise, jpeg, blur), each 0..1; the measure of each is off by a little."""
    kind = rng.random()
    noise = quality = blur = 0
    if kind < 0.42:
        noise = rng.uniform(1, MOST_NOISE)
    elif kind < 0.80:
        quality = int(rng.integers(8, 92))
    elif kind < 0.85:
        blur = rng.uniform(0.4, 1.6)
    elif kind < 0.97:
        blur = rng.uniform(0.4, 1.4) if rng.random() < 0.5 else 0
        noise = rng.uniform(1, 30) if rng.random() < 0.7 else 0
        quality = int(rng.integers(15, 92)) if rng.random() < 0.7 else 0
    x = gaussian_blur(clean, blur) if blur else clean
    if noise:
        grey = rng.random() < 0.15
        x = x + rng.standard_normal((*x.shape[:2], 1 if grey else 3), np.float32) * np.float32(noise / 255)
    # The input of the finished net is 8-bit.
    x = np.round(np.clip(x, 0, 1) * 255) / np.float32(255)
    if quality:
        x = jpeg(x, quality, int(rng.choice([0, 2])))
    wobble = lambda value: value * float(np.exp(rng.normal(0, 0.1)))
    conditions = (wobble(noise / MOST_NOISE), wobble((100 - quality) / 100) if quality else 0, wobble(blur / 2))
    return x, np.array([min(1, c) for c in conditions], np.float32)


class Batches:
    """Endless batches, prepared one thread ahead; the state of its generator makes runs resumable."""

    def __init__(self, cache, patch, batch, seed):
        self.pools = {name: pictures.Pool(Path(cache) / name, 2) for name in pictures.SHARES
                      if (Path(cache) / name / 'sizes.json').exists()}
        shares = np.array([{'photos': 80, 'clothing': 5, 'generated': 15}[name] for name in self.pools], float)
        self.names, self.shares = list(self.pools), shares / shares.sum()
        self.patch, self.batch = patch, batch
        self.rng = np.random.default_rng(seed)
        self.queue = queue.Queue(4)

    def start(self):
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self):
        while True:
            found = []
            for name in self.rng.choice(self.names, self.batch, p=self.shares):
                # Photographs at half their size have the finer texture.
                side = 0 if name == 'photos' and self.rng.random() < 0.6 else 1
                pair = self.pools[name].crop(self.rng, self.patch // (1 + side))
                clean = pictures.augment(self.rng, *pair)[side]
                found.append((*damage(self.rng, clean), clean))
            damaged, conditions, clean = (np.stack(side) for side in zip(*found))
            self.queue.put((damaged.transpose(0, 3, 1, 2), conditions, clean.transpose(0, 3, 1, 2),
                            self.rng.bit_generator.state))

    def next(self):
        """Damaged [N,3,h,w], conditions [N,3] and clean [N,3,h,w], and the generator's state after it."""
        return self.queue.get()
