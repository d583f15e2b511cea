"""What the cut-out scripts share: default folders, the fixed hold-out split, reading and writing pictures."""
import argparse
import hashlib
import os

import cv2
import numpy as np

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
TRAINING = os.path.join(ROOT, "../shared/training")
IMAGES = os.path.join(ROOT, "../shared/images")
CACHE = os.path.join(ROOT, "data/training/cutout")  # git ignores data/
MODEL = os.path.join(ROOT, "src/models/bundled/cutout.onnx")

# Share of each kind of material that training never sees: about 150 objects, 10 product pictures, 3 photographs.
HELD_OUT = {"objects": 0.1, "iconic": 0.165, "photos": 0.125}


def parser(doc):
    """An argument parser with the two folders nearly every script needs."""
    result = argparse.ArgumentParser(description=doc, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    result.add_argument("--training", default=TRAINING, help="folder with objects/, iconic/, clothing/, photos/")
    result.add_argument("--cache", default=CACHE, help="folder for arrays, labels and checkpoints")
    return result


def held_out(kind, name):
    """Whether a file is reserved for evaluation; depends on its name only, so every run agrees."""
    value = int(hashlib.md5(name.encode()).hexdigest()[:8], 16) / 2**32
    return value < HELD_OUT.get(kind, 0)


def files(folder):
    return [os.path.join(folder, f) for f in sorted(os.listdir(folder)) if not f.startswith(".")]


def read_rgb(path):
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_rgba(path):
    image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        return None
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)


def write_rgb(path, image):
    cv2.imwrite(path, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def fit(image, side):
    """Scales a picture so that its longer side measures `side`."""
    h, w = image.shape[:2]
    scale = side / max(h, w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def save_array(path, array):
    """Writes atomically, so that an interrupted run leaves no half array behind."""
    np.save(path + ".part.npy", array)
    os.replace(path + ".part.npy", path)
