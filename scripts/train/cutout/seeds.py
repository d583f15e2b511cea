"""First masks of the sellers' photographs without any net: GrabCut from two different starts.

Where a wide start (all but the border is garment) and a narrow one (only a central ellipse is) end in the same mask,
the colours alone tell garment from floor and the mask can be trusted. These masks seed the first net's training data.
"""
import os
from multiprocessing import Pool

import cv2
import numpy as np

from common import files, fit, parser, read_rgb


def grab(image, start, iterations=4):
    mask = start.copy()
    cv2.setRNGSeed(0)
    cv2.grabCut(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), mask, None, np.zeros((1, 65)), np.zeros((1, 65)), iterations,
                cv2.GC_INIT_WITH_MASK)
    return ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)


def starts(h, w):
    """A wide and a narrow guess of where the garment is, over a border that certainly is background."""
    edge = max(3, round(0.03 * min(h, w)))
    wide = np.full((h, w), cv2.GC_BGD, np.uint8)
    wide[edge:-edge, edge:-edge] = cv2.GC_PR_FGD
    narrow = np.full((h, w), cv2.GC_PR_BGD, np.uint8)
    cv2.ellipse(narrow, (w // 2, h // 2), (round(w * 0.22), round(h * 0.25)), 0, 0, 360, cv2.GC_PR_FGD, -1)
    narrow[wide == cv2.GC_BGD] = cv2.GC_BGD
    return wide, narrow


def clean(mask):
    """Keeps the parts of at least a tenth of the largest one, fills small holes and removes hairs."""
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    for value in (1, 0):
        count, labels, stats, _ = cv2.connectedComponentsWithStats((mask == value).astype(np.uint8), connectivity=4)
        if count < 2:
            continue
        areas = stats[1:, cv2.CC_STAT_AREA]
        limit = 0.1 * areas.max() if value else 0.004 * mask.size
        for i in np.flatnonzero(areas < limit) + 1:
            mask[labels == i] = 1 - value
    return mask


def iou(a, b):
    return (a & b).sum() / max(1, (a | b).sum())


def seed(args):
    path, out, side = args
    image = fit(read_rgb(path), side)
    wide, narrow = (clean(grab(image, s)) for s in starts(*image.shape[:2]))
    share, agreement = wide.mean(), iou(wide, narrow)
    cv2.imwrite(os.path.join(out, os.path.basename(path)[:-4] + ".png"), wide * 255)
    return os.path.basename(path), agreement, share


def main():
    p = parser(__doc__)
    p.add_argument("--side", type=int, default=288, help="longer side GrabCut works at")
    p.add_argument("--jobs", type=int, default=2)
    a = p.parse_args()
    cv2.setNumThreads(1)
    out = os.path.join(a.cache, "seeds")
    os.makedirs(out, exist_ok=True)
    work = [(f, out, a.side) for f in files(os.path.join(a.training, "clothing"))]
    with Pool(a.jobs) as pool, open(os.path.join(out, "agreement.tsv"), "w") as table:
        for name, agreement, share in pool.imap(seed, work, chunksize=8):
            print(name, f"{agreement:.4f}", f"{share:.4f}", sep="\t", file=table, flush=True)


if __name__ == "__main__":
    main()
