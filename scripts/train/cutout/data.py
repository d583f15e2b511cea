"""Endless training pictures with exact alpha: labelled sellers' photographs and composites.

Everything is drawn from one numpy generator, so a seed fixes the whole stream.
"""
import os

import cv2
import numpy as np
import torch
from torch.utils.data import IterableDataset

# Outlines of flat garments in -1..1, walked clockwise from the neck or waist; mirrored garments list their right half.
OUTLINES = {
    "t-shirt": [(.0, -.8), (.2, -.9), (.45, -.82), (.95, -.35), (.72, -.05), (.5, -.25), (.5, .3), (.52, .95), (.0, .97)],
    "longsleeve": [(.0, -.82), (.2, -.9), (.45, -.8), (.7, -.2), (.95, .6), (.75, .66), (.5, .0), (.5, .9), (.0, .92)],
    "trousers": [(.0, -.95), (.42, -.95), (.5, -.4), (.55, .95), (.22, .95), (.06, -.25), (.0, -.3)],
    "shorts": [(.0, -.7), (.6, -.7), (.85, .6), (.15, .68), (.03, .0), (.0, .0)],
    "dress": [(.0, -.8), (.12, -.95), (.28, -.95), (.3, -.5), (.28, -.2), (.65, .95), (.0, .98)],
    "skirt": [(.0, -.7), (.45, -.7), (.85, .7), (.4, .8), (.0, .78)],
    "hat": [(.0, -.6), (.4, -.5), (.6, .0), (.65, .2), (.95, .4), (.5, .5), (.0, .55)],
    "shoe": [(.0, -.95), (.3, -.8), (.42, -.3), (.3, .2), (.33, .7), (.2, .93), (.0, .97)],
}


class Material:
    """The arrays written by prepare.py; the unseen halves for evaluation."""

    def __init__(self, cache, unseen=False):
        load = lambda name: np.load(os.path.join(cache, name + ".npy"), mmap_mode="r")
        suffix = "-unseen" if unseen else ""
        self.objects, self.iconic, self.photos = (load(k + suffix) for k in ("objects", "iconic", "photos"))
        self.sellers, self.alpha, self.floors = load("sellers"), load("alpha"), load("floors")
        self.portraits = load("portraits")
        # Somebody who is nobody's subject would teach that people are background.
        self.backdrops = np.flatnonzero(load("backdrops" + suffix))
        self.trusted = np.flatnonzero(load("trusted"))


class Composer:
    """Draws pictures of one size."""

    def __init__(self, material, size, seed, real=0.35):
        self.m, self.size, self.real = material, size, real
        self.rng = np.random.default_rng(seed)

    # ---- chance ---------------------------------------------------------------------------------------------------

    def chance(self, p):
        return self.rng.random() < p

    def between(self, low, high):
        return low + (high - low) * self.rng.random()

    def pick(self, array):
        return np.asarray(array[self.rng.integers(len(array))])

    def noise(self, cells, amplitude=1.0):
        """Smooth noise around zero with about `cells` bumps per side."""
        grid = self.rng.standard_normal((int(cells) + 2, int(cells) + 2)).astype(np.float32)
        return cv2.resize(grid, (self.size, self.size), interpolation=cv2.INTER_CUBIC) * amplitude

    # ---- backgrounds ----------------------------------------------------------------------------------------------

    def crop(self, image, low=0.3, high=1.0):
        """A random turned, mirrored part of a picture at the working size."""
        side = self.between(low, high) * min(image.shape[:2])
        image, side = shrunk(image, 1.3 * self.size / side), min(side, 1.3 * self.size)
        h, w = image.shape[:2]
        stretch = self.between(0.75, 1.3)
        angle = self.between(-0.4, 0.4) + (self.rng.integers(4) * np.pi / 2 if self.chance(0.4) else 0)
        scale = side / self.size
        a, b = np.cos(angle) * scale, np.sin(angle) * scale
        flip = -1 if self.chance(0.5) else 1
        cx, cy = self.between(side / 2, w - side / 2), self.between(side / 2, h - side / 2)
        m = np.array([[a * flip * stretch, -b, 0], [b * flip * stretch, a, 0]])
        m[:, 2] = np.array([cx, cy]) - m[:, :2] @ [self.size / 2, self.size / 2]
        return cv2.warpAffine(image, m, (self.size, self.size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                              borderMode=cv2.BORDER_REFLECT_101).astype(np.float32) / 255

    def floor(self):
        return self.crop(self.pick(self.m.floors), 0.45, 1.0)

    def photo(self):
        # Now and then somebody stands behind an object, and it is still the object that is meant.
        which = self.rng.integers(len(self.m.photos)) if self.chance(0.35) else self.rng.choice(self.m.backdrops)
        image = self.crop(self.m.photos[which], 0.2, 1.0)
        if self.chance(0.3):  # few photographs, so other colours make other backgrounds
            image = image[..., self.rng.permutation(3)]
        return cv2.GaussianBlur(image, (0, 0), self.between(0.7, 6)) if self.chance(0.4) else image

    def studio(self):
        s = self.size
        colour = self.rng.random(3) if self.chance(0.4) else self.between(0.5, 1) + self.rng.normal(0, 0.03, 3)
        y, x = np.mgrid[-1:1:s * 1j, -1:1:s * 1j].astype(np.float32)
        angle = self.between(0, 2 * np.pi)
        light = (x * np.cos(angle) + y * np.sin(angle)) * self.between(-0.2, 0.2) - (x * x + y * y) * self.between(0, 0.15)
        if self.chance(0.5):  # where the table ends and the wall begins
            light += self.between(-0.1, 0.1) * np.tanh((y - self.between(-0.3, 0.8)) * self.between(2, 25))
        return np.clip(colour.astype(np.float32) + light[..., None], 0, 1)

    def generated(self):
        """Planks, tiles, carpet or crumpled cloth."""
        s, kind = self.size, self.rng.integers(4)
        base = np.ones((s, s, 3), np.float32) * self.rng.random(3).astype(np.float32) * 0.6 + self.between(0, 0.4)
        y, x = np.mgrid[:s, :s].astype(np.float32)
        shade = self.noise(4, 0.04)
        if kind < 2:
            across, along = (x, y) if self.chance(0.5) else (y, x)
            width = self.between(0.08, 0.45) * s
            length = width if kind else width * self.between(2, 8)
            row = np.floor(across / width)
            column = np.floor((along + (row * 0.37 * length if not kind else 0)) / length)
            tone = np.sin(row * 12.9898 + column * 78.233 + self.between(0, 99)) * 43758.5453
            shade += (tone - np.floor(tone) - 0.5) * self.between(0, 0.15)
            gap = np.minimum(across % width, (along + (row * 0.37 * length if not kind else 0)) % length)
            shade -= (gap < self.between(0.8, 3)) * self.between(-0.2, 0.4)
            if not kind:  # grain runs along the plank
                grain = self.rng.standard_normal((s, max(2, s // 16))).astype(np.float32)
                grain = cv2.resize(grain, (s, s), interpolation=cv2.INTER_LINEAR) * self.between(0, 0.05)
                shade += grain if along is x else grain.T
        elif kind == 2:
            shade += self.rng.standard_normal((s, s)).astype(np.float32) * self.between(0.02, 0.15)
        else:
            shade += self.folds()
        return np.clip(base + shade[..., None], 0, 1)

    def folds(self):
        """Shading of crumpled cloth: ridges where smooth noise crosses zero."""
        field = self.noise(self.rng.integers(3, 9)) + self.noise(self.rng.integers(8, 20), 0.3)
        ridges = np.abs(field)
        return (np.minimum(ridges, 0.6) - 0.35) * self.between(0.05, 0.4)

    def background(self, domestic):
        kinds = (self.floor, self.photo, self.studio, self.generated, self.fabric)
        weights = (0.56, 0.1, 0.13, 0.13, 0.08) if domestic else (0.08, 0.66, 0.12, 0.1, 0.04)
        image = kinds[self.rng.choice(5, p=weights)]()
        if self.chance(0.1):  # a wall above a floor, a sheet beside a cupboard
            other = kinds[self.rng.choice(5, p=weights)]()
            y, x = np.mgrid[-1:1:self.size * 1j, -1:1:self.size * 1j]
            angle = self.between(0, 2 * np.pi)
            side = (x * np.cos(angle) + y * np.sin(angle) > self.between(0.4, 0.9))[..., None]
            image = np.where(side, other, image)
        return image.astype(np.float32)

    # ---- foregrounds: RGBA patches --------------------------------------------------------------------------------

    def subject(self, portraits):
        """A whole photograph with its mask: a seller's, or one of the few portraits."""
        if self.chance(portraits):
            both = self.pick(self.m.portraits)
            return both[..., :3], both[..., 3]
        i = self.rng.choice(self.m.trusted)
        return np.asarray(self.m.sellers[i]), np.asarray(self.m.alpha[i])

    def garment(self):
        """A garment (or person) cut out along its mask, a pixel inside so that no old floor comes along."""
        image, alpha = self.subject(0.2)
        ys, xs = np.flatnonzero(alpha.max(1) > 128), np.flatnonzero(alpha.max(0) > 128)
        box = (slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1))
        inside = cv2.GaussianBlur(cv2.erode(alpha[box], np.ones((3, 3), np.uint8)), (0, 0), 0.7)
        return np.dstack([image[box], inside])

    def fabric(self):
        """Cloth from the middle of a seller's garment, without its outline."""
        i = self.rng.choice(self.m.trusted)
        alpha = np.asarray(self.m.alpha[i])
        ys, xs = np.nonzero(cv2.erode(alpha[::4, ::4], np.ones((19, 19), np.uint8)) > 200)
        k = self.rng.integers(len(ys)) if len(ys) else 0
        y, x = (4 * ys[k], 4 * xs[k]) if len(ys) else (192, 192)
        patch = np.asarray(self.m.sellers[i][max(0, y - 44):y + 44, max(0, x - 44):x + 44])
        return self.crop(patch, 0.8, 1.0)

    def procedural(self):
        """A random garment outline filled with cloth and folds."""
        name = list(OUTLINES)[self.rng.integers(len(OUTLINES))]
        half = np.array(OUTLINES[name])
        points = np.concatenate([half, half[::-1] * [-1, 1]]) + self.rng.normal(0, 0.035, (2 * len(half), 2))
        points *= [self.between(0.8, 1.1), self.between(0.8, 1.0)]
        s = self.size
        curve = smooth_polygon(points, self.between(0, 0.8))
        mask = np.zeros((s, s), np.uint8)
        cv2.fillPoly(mask, [np.round((curve * 0.95 + 1) / 2 * s * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        cloth = self.fabric()
        if self.chance(0.3):
            cloth = cloth * 0.3 + 0.7 * np.clip(cloth.mean((0, 1)) + self.rng.normal(0, 0.2, 3), 0, 1).astype(np.float32)
        shade = 1 + self.folds() + self.noise(3, 0.08)
        if self.chance(0.7):  # hems and seams follow the outline at a distance
            depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
            shade -= np.exp(-((depth - self.between(3, 12)) / self.between(0.5, 1.5)) ** 2) * self.between(0, 0.3)
            shade -= np.exp(-depth / self.between(2, 8)) * self.between(0, 0.3)
        colour = np.clip(cloth * shade[..., None], 0, 1)
        return np.dstack([(colour * 255).astype(np.uint8), mask])

    def product(self):
        if self.chance(0.15):
            return self.pick(self.m.iconic)
        patch = self.pick(self.m.objects).copy()
        if self.chance(0.4):  # rendered objects are plain: give them a photographed surface under their own shading
            grey = patch[..., :3].mean(2, keepdims=True) / 255
            texture = self.fabric() if self.chance(0.5) else self.crop(self.pick(self.m.photos), 0.2, 0.7)
            texture = cv2.resize(texture, patch.shape[1::-1])
            keep = self.between(0, 0.6)
            patch[..., :3] = np.clip(keep * patch[..., :3] + (1 - keep) * texture * (90 + 280 * grey), 0, 255)
        return self.pierced(patch) if self.chance(0.2) else patch

    def pierced(self, patch):
        """A patch with holes, as wheels, rings, ladders and rackets have them: garments alone would teach that nothing has."""
        depth = cv2.distanceTransform((patch[..., 3] > 128).astype(np.uint8), cv2.DIST_L2, 3)
        most = depth.max()
        if most < 12:
            return patch
        h, w = depth.shape
        y, x = np.mgrid[:h, :w].astype(np.float32)
        rim = self.between(0.12, 0.6) * most
        hole = depth > rim  # the outline alone: a frame, a ring
        kind = self.rng.integers(3)
        if kind == 0:  # bars, or a lattice
            for _ in range(self.rng.integers(1, 3)):
                angle, period = self.between(0, np.pi), self.between(0.25, 0.8) * most
                hole &= (x * np.cos(angle) + y * np.sin(angle) + self.between(0, 99)) % period > self.between(0.15, 0.5) * period
        elif kind == 1:  # some openings
            spots = np.zeros((h, w), np.uint8)
            ys, xs = np.nonzero(depth > 0.3 * most)
            for _ in range(self.rng.integers(1, 6)):
                k = self.rng.integers(len(ys))
                axes = [max(3, int(self.between(0.12, 0.7) * most)) for _ in range(2)]
                cv2.ellipse(spots, (int(xs[k]), int(ys[k])), axes, self.between(0, 180), 0, 360, 1, -1)
            hole = (spots > 0) & (depth > 0.1 * most)
        soft = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 0.8)[..., None]
        shade = 1 - self.between(0, 0.4) * cv2.GaussianBlur(hole.astype(np.float32), (0, 0), self.between(1.5, 6))[..., None]
        return np.dstack([patch[..., :3] * shade, patch[..., 3:] * (1 - soft)]).astype(np.uint8)

    # ---- pictures -------------------------------------------------------------------------------------------------

    def place(self, patch, centre, scale):
        """Scales, turns and moves a patch; returns premultiplied colour and alpha at the working size."""
        h, w = patch.shape[:2]
        s = self.size
        fit = scale * s / max(h, w)
        sx, sy = fit * self.between(0.75, 1.3), fit * self.between(0.85, 1.15)
        angle = self.rng.normal(0, 0.22) + (self.rng.integers(4) * np.pi / 2 if self.chance(0.15) else 0)
        flip = -1 if self.chance(0.5) else 1
        a, b = np.cos(angle), np.sin(angle)
        m = np.array([[a * sx * flip, -b * sy, 0], [b * sx * flip, a * sy, 0]])
        m[:, 2] = np.array(centre) * s - m[:, :2] @ [w / 2, h / 2]
        image = patch.astype(np.float32) / 255
        image[..., :3] *= image[..., 3:]
        if max(sx, sy) < 0.7:
            image = cv2.GaussianBlur(image, (0, 0), 0.35 / max(sx, sy))
        image = cv2.warpAffine(image, m, (s, s), flags=cv2.INTER_LINEAR)
        return image[..., :3], image[..., 3:]

    def composite(self):
        kind = self.rng.choice(3, p=(0.2, 0.08, 0.72))
        source = (self.garment, self.procedural, self.product)[kind]
        image = self.background(domestic=kind < 2)
        alpha = np.zeros((self.size, self.size, 1), np.float32)
        count = self.rng.choice([1, 2, 3], p=(0.8, 0.15, 0.05))
        centre = self.rng.normal(0.5, 0.07, 2)
        shadow, offset = self.between(0, 0.75) * self.chance(0.75), self.rng.normal(0, 0.025, 2) * self.size
        for i in range(count):
            scale = min(1.25, self.rng.lognormal(-0.3, 0.25)) * (1 if count == 1 else 0.65)
            at = centre if count == 1 else centre + self.rng.normal(0, 0.18, 2)
            colour, cover = self.place(source(), at, scale)
            colour = self.recolour(colour, cover, image)
            image, alpha = self.over(image, alpha, colour, cover, shadow, offset)
        return image, alpha[..., 0]

    def recolour(self, colour, cover, image):
        """Now and then brings the object close to its background's colour: pale on pale is what sellers photograph."""
        weight = cover.sum() + 1e-3
        mean = colour.sum((0, 1)) / weight
        if self.chance(0.12):
            target = image.mean((0, 1)) + self.rng.normal(0, 0.09, 3)
            return np.clip(colour + (target - mean).astype(np.float32) * cover, 0, cover)
        if self.chance(0.25):
            gain = self.between(0.6, 1.4) * (1 + self.rng.normal(0, 0.12, 3))
            return np.clip(colour * gain.astype(np.float32), 0, cover)
        return colour

    def over(self, image, alpha, colour, cover, shadow, offset):
        if shadow:
            soft = cv2.warpAffine(cover[..., 0], np.float32([[1, 0, offset[0]], [0, 1, offset[1]]]), (self.size, self.size))
            soft = cv2.GaussianBlur(soft, (0, 0), self.between(1, 9))[..., None]
            image = image * (1 - shadow * soft * (1 - alpha))
        return image * (1 - cover) + colour, alpha + cover * (1 - alpha)

    def labelled(self):
        """A whole photograph with its mask, under moderate geometry."""
        both = np.dstack(self.subject(0.12))
        both = shrunk(both, 1.3 * self.size / both.shape[0])
        n, s = both.shape[0], self.size
        zoom = s / n * self.between(0.9, 1.25)
        sx, sy = zoom * self.between(0.85, 1.15), zoom
        angle = self.rng.normal(0, 0.12) + (self.rng.integers(4) * np.pi / 2 if self.chance(0.15) else 0)
        a, b = np.cos(angle), np.sin(angle)
        flip = -1 if self.chance(0.5) else 1
        m = np.array([[a * sx * flip, -b * sy, 0], [b * sx * flip, a * sy, 0]])
        m[:, 2] = s * self.rng.normal(0.5, 0.05, 2) - m[:, :2] @ [n / 2, n / 2]
        image = cv2.warpAffine(both[..., :3], m, (s, s), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(both[..., 3], m, (s, s), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return image.astype(np.float32) / 255, alpha.astype(np.float32) / 255

    def degrade(self, image):
        """Exposure, light falling off, white balance, blur, noise and JPEG as telephones make them."""
        s = self.size
        if self.chance(0.4):
            image = image * (1 + self.noise(2, 0.12))[..., None]
        gain = self.between(0.75, 1.25) * (1 + self.rng.normal(0, 0.05, 3))
        image = np.clip(image * gain.astype(np.float32) + self.between(-0.06, 0.06), 0, 1) ** self.between(0.7, 1.4)
        if self.chance(0.1):
            image = image.mean(2, keepdims=True) * np.ones(3, np.float32)
        if self.chance(0.3):
            image = cv2.GaussianBlur(image, (0, 0), self.between(0.4, 1.2))
        if self.chance(0.4):
            image = image + self.rng.standard_normal((s, s, 3), np.float32) * self.between(0, 0.04)
        image = (np.clip(image, 0, 1) * 255).astype(np.uint8)
        if self.chance(0.4):
            _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(self.between(35, 95))])
            image = cv2.imdecode(code, cv2.IMREAD_COLOR)
        return image

    def sample(self):
        image, alpha = self.labelled() if self.chance(self.real) else self.composite()
        return self.degrade(image), (np.clip(alpha, 0, 1) * 255).astype(np.uint8)


def shrunk(image, factor):
    """A picture made smaller by its area, as cut-outs are at run time; turning it by itself would skip over pixels."""
    return image if factor > 0.9 else cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def smooth_polygon(points, roundness):
    """Cuts the corners of a closed polygon (Chaikin) three times, less where roundness is small."""
    for _ in range(3):
        following = np.roll(points, -1, 0)
        cut = 0.25 * roundness + 0.02
        points = np.stack([points * (1 - cut) + following * cut, points * cut + following * (1 - cut)], 1).reshape(-1, 2)
    return points


class Stream(IterableDataset):
    """Batches as uint8 tensors; a worker reads the arrays itself, so that nothing large is pickled."""

    def __init__(self, cache, size, batch, seed, real):
        self.cache, self.size, self.batch, self.seed, self.real = cache, size, batch, seed, real

    def __iter__(self):
        cv2.setNumThreads(1)
        torch.set_num_threads(1)
        info = torch.utils.data.get_worker_info()
        composer = Composer(Material(self.cache), self.size, (*self.seed, info.id if info else 0), self.real)
        while True:
            pictures = [composer.sample() for _ in range(self.batch)]
            images, alphas = (np.stack(x) for x in zip(*pictures))
            yield torch.from_numpy(images), torch.from_numpy(alphas)
