"""What happens to pictures on their way through the web: blur, resizing, noise and JPEG, each mild in most pictures."""
import io

import numpy as np
from PIL import Image, ImageFilter

# Resizers as browsers, sites and phones use them.
FILTERS = (Image.BICUBIC, Image.BICUBIC, Image.BILINEAR, Image.BOX, Image.LANCZOS)
MARGIN = 6  # input pixels around a crop that are damaged with it and cut off, so that no border shows


def bytes_of(pixels):
    return np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8)


def code(rng, picture, quality):
    """The picture after JPEG, with or without halved colour."""
    file = io.BytesIO()
    picture.save(file, 'JPEG', quality=int(quality), subsampling=int(rng.choice([0, 2, 2])))
    return Image.open(file).convert('RGB')


def with_noise(rng, picture):
    """Grain of sensors: constant or growing with the light, coloured or grey, sometimes blotched by a resize."""
    pixels = np.asarray(picture, np.float32) / 255
    strength = min(30, rng.exponential(7)) / 255
    grain = rng.standard_normal((*pixels.shape[:2], 1 if rng.random() < 0.35 else 3), np.float32)
    if rng.random() < 0.25:
        # Grain of an earlier, larger or smaller copy has become coarse.
        grain = (grain + np.roll(grain, 1, 0) + np.roll(grain, 1, 1) + np.roll(grain, (1, 1), (0, 1))) / 2
    light = np.sqrt(np.clip(pixels, 0.02, 1) * 2) if rng.random() < 0.4 else np.float32(1)
    return Image.fromarray(bytes_of(pixels + grain * light * np.float32(strength)))


def damage(rng, large, scale):
    """The large picture [h, w, 3] in 0..1 made `scale` times smaller and damaged on the way: [h/scale, w/scale, 3] in 0..1."""
    picture = Image.fromarray(bytes_of(large))
    size = tuple(side // scale for side in picture.size)
    if rng.random() < 0.7:
        sigma = rng.uniform(0.2, 0.7 * scale)
        aspect = rng.uniform(0.6, 1) if rng.random() < 0.4 else 1
        radii = (sigma, sigma * aspect) if rng.random() < 0.5 else (sigma * aspect, sigma)
        picture = picture.filter(ImageFilter.GaussianBlur(radii))
    if rng.random() < 0.25:
        # A copy of another size in between, often compressed already.
        ratio = rng.uniform(0.8, 2.2)
        picture = picture.resize([max(8, round(side * ratio)) for side in size], FILTERS[rng.integers(len(FILTERS))])
        if rng.random() < 0.5:
            picture = code(rng, picture, rng.integers(50, 96))
    picture = picture.resize(size, FILTERS[rng.integers(len(FILTERS))])
    if rng.random() < 0.55:
        picture = with_noise(rng, picture)
    if rng.random() < 0.75:
        picture = code(rng, picture, rng.integers(25, 96))
    return np.asarray(picture, np.float32) / 255
