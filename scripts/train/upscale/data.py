"""Training pictures: photographs decoded once to disk, and generated ones; crops of both."""
import json
import math
import queue
import threading
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from damage import MARGIN, damage

SCALES = (2, 4)
# Of a hundred crops; the rest of the names are of the folders under the cache.
SHARES = {'photos': 65, 'clothing': 10, 'generated': 25}
FONTS = ('DejaVuSans.ttf', 'DejaVuSans-Bold.ttf', 'DejaVuSerif.ttf', 'DejaVuSansMono.ttf')


def shrink(picture, factor):
    """Antialiased bicubic, the degradation that the nets learn to undo."""
    return picture.resize((picture.width // factor, picture.height // factor), Image.BICUBIC)


def texture(rng, size):
    """A grating, a checkerboard, noise of some colour, or a gradient: [size, size, 3] in 0..255."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    angle = rng.random() * math.tau
    u = x * math.cos(angle) + y * math.sin(angle)
    v = y * math.cos(angle) - x * math.sin(angle)
    period = 4 * 12 ** rng.random()
    kind = rng.integers(6)
    if kind == 0:
        wave = np.sin(u * math.tau / period)
    elif kind == 1:
        wave = np.sign(np.sin(u * math.tau / period)) * np.sign(np.sin(v * math.tau / period))
    elif kind == 2:
        wave = np.sign(np.sin(u * math.tau / period + 2 * np.sin(v / period)))
    elif kind == 3:
        frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
        frequency[0, 0] = 1
        spectrum = np.fft.rfft2(rng.standard_normal((size, size))) / frequency ** rng.uniform(0.5, 2)
        wave = np.fft.irfft2(spectrum, (size, size))
        wave = wave / (2 * wave.std() + 1e-6)
    else:
        wave = np.zeros_like(u)
    slope = (u - u.mean()) / size
    low, high = rng.random((2, 3)) * 255
    if rng.random() < 0.6:
        high = low + rng.uniform(-60, 60)
    mix = 0.5 + 0.5 * wave * rng.random() + slope * rng.uniform(-0.6, 0.6)
    return np.clip(low + (high - low) * mix[..., None], 0, 255).astype(np.uint8)


def outline(rng, radius):
    """A random closed shape around the origin as polygon corners."""
    kind = rng.integers(4)
    if kind == 0:
        corners = 48
        reach = np.ones(corners)
    elif kind == 1:
        corners = int(rng.integers(3, 7))
        reach = np.ones(corners)
    elif kind == 2:
        corners = 64
        reach = 1 + 0.35 * np.sin(np.arange(corners) / corners * math.tau * rng.integers(2, 8))
    else:
        corners = int(rng.integers(6, 20))
        reach = rng.uniform(0.4, 1, corners)
    turn = np.arange(corners) / corners * math.tau
    points = np.stack([np.cos(turn) * reach, np.sin(turn) * reach * rng.uniform(0.1, 1)], 1) * radius
    angle = rng.random() * math.tau
    spin = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return points @ spin


def generate(rng, size):
    """Dead leaves: textured shapes of power-law sizes that hide one another, some with text and lines."""
    # Drawn at twice the size, since shapes without antialiasing are unlike any photograph.
    full = size * 2
    bank = [Image.fromarray(texture(rng, full)) for _ in range(10)]
    picture = bank[0].copy()
    smallest, largest = rng.uniform(3, 12), full * 0.4
    for _ in range(int(rng.integers(150, 1500))):
        draw = rng.random()
        radius = (smallest**-2 + draw * (largest**-2 - smallest**-2)) ** -0.5
        points = outline(rng, radius)
        centre = rng.random(2) * full
        low = np.floor(points.min(0)).astype(int)
        width, height = np.ceil(points.max(0) - low).astype(int) + 1
        mask = Image.new('L', (int(width), int(height)))
        ImageDraw.Draw(mask).polygon([tuple(p) for p in points - low], fill=255)
        corner = (int(centre[0] + low[0]), int(centre[1] + low[1]))
        if rng.random() < 0.5:
            leaf = Image.new('RGB', mask.size, tuple(int(c) for c in rng.integers(0, 256, 3)))
        else:
            x, y = (int(rng.integers(0, max(1, full - side))) for side in mask.size)
            leaf = bank[rng.integers(len(bank))].crop((x, y, x + mask.width, y + mask.height))
        picture.paste(leaf, corner, mask)
    draw = ImageDraw.Draw(picture)
    if rng.random() < 0.35:
        letters = np.array(list('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;-+%&()'))
        for _ in range(int(rng.integers(3, 30))):
            try:
                font = ImageFont.truetype(FONTS[rng.integers(len(FONTS))], int(rng.integers(14, 90)))
            except OSError:
                break
            text = ''.join(rng.choice(letters, int(rng.integers(3, 30))))
            spot = tuple(int(c) for c in rng.integers(-50, full, 2))
            draw.text(spot, text, font=font, fill=tuple(int(c) for c in rng.integers(0, 256, 3)))
    if rng.random() < 0.35:
        for _ in range(int(rng.integers(5, 60))):
            ends = [tuple(int(c) for c in rng.integers(0, full, 2)) for _ in range(2)]
            draw.line(ends, fill=tuple(int(c) for c in rng.integers(0, 256, 3)), width=int(rng.integers(1, 8)))
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3)))
    # Random colours are far gaudier than the world's.
    picture = Image.blend(picture.convert('L').convert('RGB'), picture, rng.random())
    return picture.resize((size, size), Image.BICUBIC if rng.random() < 0.5 else Image.BOX)


def write_pool(folder, pictures):
    """Store pictures and their shrunken versions as flat uint8 files that can be memory-mapped."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {scale: open(folder / f'x{scale}.u8', 'wb') for scale in (1, *SCALES)}
    sizes = []
    for picture in pictures:
        picture = picture.crop((0, 0, picture.width // 4 * 4, picture.height // 4 * 4))
        sizes.append((picture.height, picture.width))
        for scale, file in files.items():
            file.write(np.asarray(shrink(picture, scale) if scale > 1 else picture).tobytes())
    for file in files.values():
        file.close()
    # Written last, so that an interrupted build is recognised and repeated.
    (folder / 'sizes.json').write_text(json.dumps(sizes))


def photographs(folder, ratios, filters=(Image.BICUBIC, Image.LANCZOS)):
    """Every picture of the folder at every ratio: smaller copies are sharper per pixel."""
    for path in sorted(p for p in Path(folder).iterdir() if p.suffix in ('.webp', '.png', '.jpg')):
        picture = Image.open(path).convert('RGB')
        for index, ratio in enumerate(ratios):
            size = [round(side * ratio) for side in picture.size]
            if min(size) >= 128:
                yield picture if ratio == 1 else picture.resize(size, filters[index % len(filters)])


def build(cache, photos, clothing=None, generated=500, seed=1):
    """Fill the cache with whatever is missing from it."""
    cache = Path(cache)
    if not (cache / 'photos/sizes.json').exists():
        write_pool(cache / 'photos', photographs(photos, (1, 0.75, 0.5)))
    # Half size or less, where the JPEG blocks of small pictures no longer show.
    if clothing and Path(clothing).is_dir() and not (cache / 'clothing/sizes.json').exists():
        write_pool(cache / 'clothing', photographs(clothing, (0.5,)))
    if not (cache / 'generated/sizes.json').exists():
        rng = np.random.default_rng(seed)
        write_pool(cache / 'generated', (generate(rng, 384) for _ in range(generated)))


class Pool:
    """The memory-mapped pictures of one kind; the large ones are cropped more often."""

    def __init__(self, folder, scale):
        self.scale = scale
        self.sizes = np.array(json.loads((folder / 'sizes.json').read_text()))
        areas = self.sizes.prod(1)
        self.starts = np.concatenate([[0], np.cumsum(areas)[:-1]]) * 3
        self.odds = areas / areas.sum()
        self.large = np.memmap(folder / 'x1.u8', np.uint8, 'r')
        self.small = np.memmap(folder / f'x{scale}.u8', np.uint8, 'r')

    def crop(self, rng, patch):
        """A random pair: [patch, patch, 3] and its truth [scale*patch, scale*patch, 3]."""
        s = self.scale
        while True:
            index = rng.choice(len(self.odds), p=self.odds)
            height, width = self.sizes[index]
            if min(height, width) >= patch * s:
                break
        start = self.starts[index]
        y = rng.integers(0, height // s - patch + 1)
        x = rng.integers(0, width // s - patch + 1)
        large = self.large[start:start + height * width * 3].reshape(height, width, 3)
        small = self.small[start // s**2:start // s**2 + height * width * 3 // s**2]
        small = small.reshape(height // s, width // s, 3)
        return small[y:y + patch, x:x + patch], large[y * s:(y + patch) * s, x * s:(x + patch) * s]


def augment(rng, small, large):
    """Turn and mirror the pair and sometimes change its colours, all as floats in 0..1."""
    turns, mirror = rng.integers(4), rng.integers(2)
    pair = []
    jitter = rng.random() < 0.5
    mix = np.eye(3) + rng.normal(0, 0.08, (3, 3))
    mix = (mix / mix.sum(1, keepdims=True) * rng.uniform(0.6, 1.15)).T.astype(np.float32)
    shift = rng.uniform(-0.06, 0.12)
    for picture in (small, large):
        picture = np.rot90(picture, turns)
        picture = (picture[:, ::-1] if mirror else picture).astype(np.float32) / 255
        if jitter:
            picture = picture @ mix + np.float32(shift)
        pair.append(picture)
    if jitter:
        # The input of the finished net is 8-bit too.
        pair[0] = np.round(np.clip(pair[0], 0, 1) * 255) / np.float32(255)
        pair[1] = np.clip(pair[1], 0, 1)
    return pair


class Batches:
    """
    Endless batches, prepared one thread ahead; the state of its generator makes runs resumable. `damaged` is the share of
    crops whose small side was also blurred, compressed and so on.
    """

    def __init__(self, cache, scale, patch, batch, seed, damaged=0.0):
        self.pools = {name: Pool(Path(cache) / name, scale) for name in SHARES
                      if (Path(cache) / name / 'sizes.json').exists()}
        shares = np.array([SHARES[name] for name in self.pools], float)
        self.names, self.shares = list(self.pools), shares / shares.sum()
        self.patch, self.batch, self.damaged, self.scale = patch, batch, damaged, scale
        self.rng = np.random.default_rng(seed)
        self.queue = queue.Queue(4)

    def start(self):
        """Begin preparing, after any saved generator state has been restored."""
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self):
        while True:
            pairs = []
            for name in self.rng.choice(self.names, self.batch, p=self.shares):
                pairs.append(self._pair(self.pools[name]))
            small, large = (np.stack(side).transpose(0, 3, 1, 2) for side in zip(*pairs))
            self.queue.put((small, large, self.rng.bit_generator.state))

    def _pair(self, pool):
        # Without this test older seeds would draw other crops.
        if not self.damaged or self.rng.random() >= self.damaged:
            return augment(self.rng, *pool.crop(self.rng, self.patch))
        _, large = augment(self.rng, *pool.crop(self.rng, self.patch + 2 * MARGIN))
        small = damage(self.rng, large, self.scale)
        edge = MARGIN * self.scale
        return small[MARGIN:-MARGIN, MARGIN:-MARGIN], large[edge:-edge, edge:-edge]

    def next(self):
        """A batch as float arrays [N,3,h,w], and the generator's state after it."""
        return self.queue.get()
