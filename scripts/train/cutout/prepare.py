"""Decodes the training material once into uint8 arrays that the trainers map into memory.

    python prepare.py            objects, product pictures, photographs, sellers' photographs
    python prepare.py --labels seeds     (again) alpha of the sellers' photographs, and floors with the garment filled in
"""
import os

import cv2
import numpy as np

from common import files, held_out, parser, read_rgb, read_rgba, save_array

OBJECT, PHOTO, SELLER = 256, 768, 384


def object_array(folder, reserved):
    result = []
    for path in files(folder):
        image = read_rgba(path) if held_out("objects", os.path.basename(path)) == reserved else None
        if image is None or (image[..., 3] > 128).mean() < 0.05:
            continue
        result.append(cv2.resize(image, (OBJECT, OBJECT), interpolation=cv2.INTER_AREA))
    return np.stack(result)


def white_alpha(image):
    """Alpha of a product on pure white: what is white and joined to the border is background."""
    near_white = (image.min(2) >= 246).astype(np.uint8)
    _, labels = cv2.connectedComponents(near_white, connectivity=4)
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    background = np.isin(labels, border[border > 0]).astype(np.uint8)
    solid = cv2.erode(1 - background, np.ones((3, 3), np.uint8))  # the outermost pixels are mixed with white
    return cv2.GaussianBlur(solid * 255, (0, 0), 0.8)


def iconic_array(folder, reserved):
    result = []
    for path in files(folder):
        if held_out("iconic", os.path.basename(path)) != reserved:
            continue
        image = read_rgb(path)
        image = np.dstack([image, white_alpha(image)])
        h, w = image.shape[:2]
        pad = (max(h, w) - np.array([h, w])) // 2
        image = np.pad(image, ((pad[0], pad[0]), (pad[1], pad[1]), (0, 0)))
        result.append(cv2.resize(image, (OBJECT, OBJECT), interpolation=cv2.INTER_LINEAR))
    return np.stack(result)


def photo_crops(folder, reserved):
    """Two squares of every photograph, and whether they may be backdrops: they show no one thing that a shop would cut out."""
    with open(os.path.join(os.path.dirname(__file__), "subjects.txt")) as table:
        subjects = set(table.read().split())
    for path in files(folder):
        if held_out("photos", os.path.basename(path)) != reserved:
            continue
        image = read_rgb(path)
        h, w = image.shape[:2]
        scale = PHOTO / min(h, w)
        image = cv2.resize(image, (round(w * scale), round(h * scale)), interpolation=cv2.INTER_AREA)
        h, w = image.shape[:2]
        for y, x in sorted({(0, 0), (h - PHOTO, w - PHOTO)}):
            yield image[y:y + PHOTO, x:x + PHOTO], os.path.basename(path) not in subjects


def photo_array(folder, reserved):
    return np.stack([crop for crop, _ in photo_crops(folder, reserved)])


def backdrop_array(folder, reserved):
    return np.array([may_be for _, may_be in photo_crops(folder, reserved)])


def seller_array(folder):
    return np.stack([cv2.resize(read_rgb(f), (SELLER, SELLER), interpolation=cv2.INTER_AREA) for f in files(folder)])


def fill(image, alpha):
    """The floor without the garment: every garment pixel takes the floor mirrored at the nearest garment edge.

    Mirroring keeps the floor's real texture, which smooth inpainting would lose.
    """
    hole = (cv2.dilate(alpha, np.ones((15, 15), np.uint8)) > 10).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(hole, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    ys, xs = np.nonzero(hole == 0)
    owner = np.zeros((labels.max() + 1, 2), np.int32)
    owner[labels[ys, xs]] = np.stack([ys, xs], 1)
    nearest = owner[labels]
    grid = np.stack(np.mgrid[:hole.shape[0], :hole.shape[1]], -1)
    mirrored = np.clip(2 * nearest - grid, 0, np.array(hole.shape) - 1)
    blocked = hole[mirrored[..., 0], mirrored[..., 1]] == 1
    source = np.where(blocked[..., None], nearest, mirrored)
    filled = image[source[..., 0], source[..., 1]]
    # Soften only the seams inside the hole: the mean stays, texture is kept where it is continuous.
    soft = cv2.GaussianBlur(filled, (0, 0), 2)
    seam = cv2.GaussianBlur(blocked.astype(np.float32), (0, 0), 2)[..., None] * hole[..., None]
    return (filled * (1 - seam) + soft * seam).astype(np.uint8)


def read_labels(folder, names, threshold):
    """Alpha per photograph, and which of them can be trusted (listed in agreement.tsv above the threshold)."""
    with open(os.path.join(folder, "agreement.tsv")) as table:
        agreement = {name: (float(a), float(share)) for name, a, share in (line.split("\t") for line in table)}
    rejected = set()
    path = os.path.join(os.path.dirname(__file__), "rejected.txt")
    if os.path.exists(path):
        rejected = set(open(path).read().split())
    alpha = np.zeros((len(names), SELLER, SELLER), np.uint8)
    trusted = np.zeros(len(names), bool)
    for i, name in enumerate(names):
        mask = cv2.imread(os.path.join(folder, name[:-4] + ".png"), cv2.IMREAD_GRAYSCALE)
        score, share = agreement.get(name, (0, 0))
        if mask is None or score < threshold or not 0.03 < share < 0.85 or name in rejected:
            continue
        alpha[i] = soften(cv2.resize(mask, (SELLER, SELLER), interpolation=cv2.INTER_LINEAR))
        trusted[i] = True
    return alpha, trusted


def soften(mask):
    """A soft edge about two pixels wide in place of the resized mask's stairs."""
    smooth = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 1.5)
    return (np.clip((smooth - 0.5) * 1.6 + 0.5, 0, 1) * 255).astype(np.uint8)


def floor_array(images, alpha, trusted):
    result = []
    for i in np.flatnonzero(trusted):
        if (alpha[i] > 10).mean() < 0.5:
            result.append(fill(images[i], alpha[i]))
    return np.stack(result)


def main():
    p = parser(__doc__)
    p.add_argument("--labels", help="folder of masks inside the cache (seeds, round1, ...); does only the labels")
    p.add_argument("--threshold", type=float, default=0.97, help="agreement from which on a mask is trusted")
    a = p.parse_args()
    cv2.setNumThreads(1)
    os.makedirs(a.cache, exist_ok=True)
    to = lambda name: os.path.join(a.cache, name + ".npy")
    source = lambda name: os.path.join(a.training, name)
    if not a.labels:
        for kind, build in (("objects", object_array), ("iconic", iconic_array), ("photos", photo_array)):
            for reserved, suffix in ((False, ""), (True, "-unseen")):
                array = build(source(kind), reserved)
                save_array(to(kind + suffix), array)
                print(kind + suffix, array.shape)
        for reserved, suffix in ((False, ""), (True, "-unseen")):
            save_array(to("backdrops" + suffix), backdrop_array(source("photos"), reserved))
        save_array(to("sellers"), seller_array(source("clothing")))
        return
    names = [os.path.basename(f) for f in files(source("clothing"))]
    images = np.load(to("sellers"), mmap_mode="r")
    alpha, trusted = read_labels(os.path.join(a.cache, a.labels), names, a.threshold)
    save_array(to("alpha"), alpha)
    save_array(to("trusted"), trusted)
    floors = floor_array(images, alpha, trusted)
    save_array(to("floors"), floors)
    print("trusted", trusted.sum(), "of", len(names), "floors", floors.shape)


if __name__ == "__main__":
    main()
