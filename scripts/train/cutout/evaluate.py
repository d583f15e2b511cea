"""Measures an exported model with ONNX Runtime: unseen composites, the lemur, and contact sheets of any pictures.

    python evaluate.py                                     IoU (alpha > 0.5) and MAE beside two trivial answers
    python evaluate.py --sheet sheet.png --pictures DIR    cut-outs on white and on black, to be judged by eye
"""
import glob
import os
import time

import cv2
import numpy as np
import onnxruntime

from common import IMAGES, MODEL, files, parser, read_rgb
from data import Composer, Material


def unseen_composites(cache, count, size=512, seed=99):
    """Held-out objects and products over held-out photographs, studio backdrops and generated floors."""
    composer = Composer(Material(cache, unseen=True), size, seed)
    material, rng = composer.m, composer.rng
    for i in range(count):
        image = (composer.photo, composer.photo, composer.studio, composer.generated)[i % 4]()
        patch = composer.pick(material.iconic if i % 5 == 0 else material.objects)
        colour, cover = composer.place(patch, rng.normal(0.5, 0.06, 2), composer.between(0.45, 0.9))
        shadow = composer.between(0, 0.5) * composer.chance(0.5)
        image, alpha = composer.over(image, np.zeros_like(cover), colour, cover, shadow, rng.normal(0, 8, 2))
        yield composer.degrade(image), alpha[..., 0]


def lemur(images):
    folder = os.path.join(images, "matting")
    alpha = cv2.imread(os.path.join(folder, "lemur_alpha.png"), cv2.IMREAD_GRAYSCALE)
    yield read_rgb(os.path.join(folder, "lemur.png")), alpha.astype(np.float32) / 255


def stretched(shape, size):
    """Both sides become the working size."""
    return size, size


def proportional(shape, size):
    """The proportions stay as near as multiples of 32 allow, at about the area of the working size."""
    aspect = np.sqrt(shape[0] / shape[1])
    return tuple(max(32, int(round(size * f / 32)) * 32) for f in (aspect, 1 / aspect))


def predict(session, image, size, shape):
    h, w = shape(image.shape[:2], size)
    small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
    alpha = session.run(None, {"image": small[None]})[0][0, 0]
    return np.clip(cv2.resize(alpha, image.shape[1::-1], interpolation=cv2.INTER_CUBIC), 0, 1)


def look(session, image, size):
    """The mean of what the net says of a picture and of its mirror image, stretched to a square."""
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    both = session.run(None, {"image": np.stack([small, small[:, ::-1]])})[0][:, 0]
    return cv2.resize((both[0] + both[1][:, ::-1]) / 2, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def look_twice(session, image, size, margin=0.12):
    """As the engine does (src/models/matting/second-look.ts): the whole, then the part with the subject; their mean counts."""
    alpha = look(session, image, size)
    ys, xs = np.flatnonzero((alpha > 0.5).any(1)), np.flatnonzero((alpha > 0.5).any(0))
    if not len(ys):
        return alpha
    (h, w), my, mx = alpha.shape, margin * (ys[-1] - ys[0] + 1), margin * (xs[-1] - xs[0] + 1)
    rows = slice(max(0, int(ys[0] - my)), min(h, int(ys[-1] + 1 + my)))
    columns = slice(max(0, int(xs[0] - mx)), min(w, int(xs[-1] + 1 + mx)))
    part = image[rows, columns]
    if part.shape[0] * part.shape[1] <= 0.8 * h * w:
        alpha[rows, columns] = (alpha[rows, columns] + look(session, np.ascontiguousarray(part), size)) / 2
    return alpha


def ellipse(shape):
    y, x = np.mgrid[-1:1:shape[0] * 1j, -1:1:shape[1] * 1j]
    return (x * x + y * y < 0.49).astype(np.float32)


def score(predicted, alpha):
    a, b = predicted > 0.5, alpha > 0.5
    return (a & b).sum() / max(1, (a | b).sum()), np.abs(predicted - alpha).mean()


def report(title, pictures, cutters):
    scores = np.array([[score(cut(image), alpha) for cut in cutters.values()] for image, alpha in pictures])
    for k, name in enumerate(cutters):
        values = scores[:, k]
        print(f"{title:20} {name:16} IoU {values[:, 0].mean():.4f}  MAE {values[:, 1].mean():.4f}  "
              f"IoU<0.8: {(values[:, 0] < 0.8).sum()} of {len(values)}", flush=True)


def sheet(session, folder, size, shape, out, columns=3, side=300):
    """Each picture beside its cut-out on white and on black."""
    tiles = []
    for path in files(folder) if os.path.isdir(folder) else sorted(glob.glob(folder)):
        image = read_rgb(path)
        alpha = predict(session, image, size, shape)[..., None]
        row = np.concatenate([image, image * alpha + 255 * (1 - alpha), image * alpha], 1).astype(np.uint8)
        row = cv2.resize(row, (3 * side * image.shape[1] // image.shape[0], side), interpolation=cv2.INTER_AREA)
        row = row if row.shape[1] <= 3 * side else cv2.resize(row, (3 * side, round(side * 3 * side / row.shape[1])))
        tile = np.full((side, 3 * side, 3), 128, np.uint8)
        tile[:row.shape[0], :row.shape[1]] = row
        tiles.append(tile)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[i:i + columns], 1) for i in range(0, len(tiles), columns)]
    cv2.imwrite(out, np.concatenate(rows, 0)[..., ::-1])


def main():
    p = parser(__doc__)
    p.add_argument("--images", default=IMAGES)
    p.add_argument("--model", default=MODEL)
    p.add_argument("--size", type=int, default=256, help="working size")
    p.add_argument("--shape", choices=("stretched", "proportional"), default="stretched")
    p.add_argument("--count", type=int, default=200, help="unseen composites")
    p.add_argument("--threads", type=int, default=4)
    p.add_argument("--sheet", help="write a contact sheet here instead of measuring")
    p.add_argument("--pictures", help="folder or pattern for the contact sheet")
    a = p.parse_args()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = a.threads
    session = onnxruntime.InferenceSession(a.model, options, providers=["CPUExecutionProvider"])
    shape = {"stretched": stretched, "proportional": proportional}[a.shape]
    if a.sheet:
        sheet(session, a.pictures, a.size, shape, a.sheet)
        return
    cutters = {
        "cutout": lambda image: look_twice(session, image, a.size),
        "cutout, one look": lambda image: predict(session, image, a.size, shape),
        "all foreground": lambda image: np.ones(image.shape[:2], np.float32),
        "centre ellipse": lambda image: ellipse(image.shape[:2]),
    }
    report("unseen composites", unseen_composites(a.cache, a.count), cutters)
    report("lemur", lemur(a.images), cutters)
    picture = np.zeros((1, a.size, a.size, 3), np.uint8)
    session.run(None, {"image": picture})
    times = []
    for _ in range(20):
        start = time.perf_counter()
        session.run(None, {"image": picture})
        times.append(time.perf_counter() - start)
    print(f"run at {a.size}: median {np.median(times) * 1000:.0f} ms on {a.threads} threads")


if __name__ == "__main__":
    main()
