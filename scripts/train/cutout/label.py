"""A round of self-training: masks of the sellers' photographs from the net so far, refined by each picture's colours.

The net's averaged opinion (mirrored, at one or more sizes) says where garment and floor are for certain; GrabCut decides the band
between them. A mask counts as trusted as far as the net is sure of itself and the colours agree with it.
"""
import os

import cv2
import numpy as np
import torch

from common import files, parser
from net import CutoutNet
from seeds import clean, grab, iou


def opinion(net, image, sizes):
    """Average alpha over sizes and mirror images, at the picture's size."""
    total = 0
    for size in sizes:
        small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
        batch = np.stack([small, small[:, ::-1]]).transpose(0, 3, 1, 2)
        with torch.no_grad():
            p = torch.sigmoid(net(torch.from_numpy(batch.copy()).float() / 255))[:, 0].numpy()
        total = total + cv2.resize((p[0] + p[1][:, ::-1]) / 2, image.shape[1::-1])
    return total / len(sizes)


def refine(image, alpha, side=256):
    """GrabCut, on a small copy, inside the band where the net's outline lies."""
    image, alpha = (cv2.resize(x, (side, side), interpolation=cv2.INTER_AREA) for x in (image, alpha))
    mask = (alpha > 0.5).astype(np.uint8)
    band = np.ones((7, 7), np.uint8)
    start = np.where(mask, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    start[(cv2.erode(mask, band) == 1) & (alpha > 0.9)] = cv2.GC_FGD
    start[(cv2.dilate(mask, band) == 0) & (alpha < 0.1)] = cv2.GC_BGD
    if not (start == cv2.GC_FGD).any() or not (start == cv2.GC_BGD).any():
        return mask
    return clean(grab(image, start, 2))


def main():
    p = parser(__doc__)
    p.add_argument("--name", default="cutout", help="name of the checkpoint")
    p.add_argument("--out", default="round1", help="folder of masks inside the cache")
    p.add_argument("--seeds", default="seeds", help="earlier masks, kept where they agree with the net")
    p.add_argument("--sizes", type=int, nargs="+", default=[256])
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    cv2.setNumThreads(1)
    net = CutoutNet()
    net.load_state_dict(torch.load(os.path.join(a.cache, a.name + ".pt"), map_location="cpu")["ema"])
    net.eval()
    out, seeds = os.path.join(a.cache, a.out), os.path.join(a.cache, a.seeds)
    os.makedirs(out, exist_ok=True)
    agreement = {line.split("\t")[0]: float(line.split("\t")[1]) for line in open(os.path.join(seeds, "agreement.tsv"))}
    images = np.load(os.path.join(a.cache, "sellers.npy"), mmap_mode="r")
    with open(os.path.join(out, "agreement.tsv"), "w") as table:
        for i, path in enumerate(files(os.path.join(a.training, "clothing"))):
            name, image = os.path.basename(path), np.ascontiguousarray(images[i])
            alpha = opinion(net, image, a.sizes)
            sure = 1 - ((alpha > 0.1) & (alpha < 0.9)).sum() / max(1, (alpha > 0.5).sum())
            sharp = (alpha > 0.5).astype(np.uint8)
            mask = (cv2.resize(refine(image, alpha) * 255, image.shape[1::-1]) > 127).astype(np.uint8)
            agreed = iou(mask, sharp)
            seed = cv2.imread(os.path.join(seeds, name[:-4] + ".png"), cv2.IMREAD_GRAYSCALE)
            seed = (cv2.resize(seed, image.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 127).astype(np.uint8)
            if agreement[name] > 0.965 and iou(seed, sharp) > 0.96:
                mask, agreed = seed, max(agreed, iou(seed, mask))
            cv2.imwrite(os.path.join(out, name[:-4] + ".png"), mask * 255)
            print(name, f"{agreed * min(1, sure + 0.1):.4f}", f"{mask.mean():.4f}", sep="\t", file=table, flush=True)


if __name__ == "__main__":
    main()
