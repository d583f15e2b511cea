"""Masks of the few photographs with one clear subject, drawn by MediaPipe's selfie segmentation (Apache-2.0).

All masks of the list were looked at; portraits that the teacher cut badly are not in it.
"""
import os

import cv2
import numpy as np
import onnxruntime

from common import ROOT, held_out, parser, read_rgb, save_array
from prepare import SELLER, soften

SUBJECTS = """097cb426910ba8ce2525dd8bb7fb1777 11f2b039b293758398b1a7a8afa64bb2 14ab4af28901fbeb1356b06d2d08ae06
2c1f84548ef99faec2b4f9bf12227c83 8bb119b8ca17492392e1e3ea4b811b32 9466a908d088d32ee73f04116c40e48c
b51d5fb537246482ef7a7ab63f093cab d79d465ac77c36518e0f0d626bf97ec4 60430844748882ff66b9a5598ef06dd6""".split()


def main():
    p = parser(__doc__)
    p.add_argument("--teacher", help="selfie_segmentation.onnx",
                   default=os.path.join(ROOT, "../shared/weights/portrait/selfie_segmentation.onnx"))
    a = p.parse_args()
    session = onnxruntime.InferenceSession(a.teacher, providers=["CPUExecutionProvider"])
    result = []
    for name in (s + ".webp" for s in SUBJECTS if not held_out("photos", s + ".webp")):
        image = read_rgb(os.path.join(a.training, "photos", name))
        small = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA).astype(np.float32)[None] / 255
        mask = session.run(None, {session.get_inputs()[0].name: small})[0].reshape(256, 256)
        mask = cv2.resize(mask, (SELLER, SELLER), interpolation=cv2.INTER_LINEAR) > 0.5
        image = cv2.resize(image, (SELLER, SELLER), interpolation=cv2.INTER_AREA)
        result.append(np.dstack([image, soften(mask.astype(np.uint8) * 255)]))
    save_array(os.path.join(a.cache, "portraits.npy"), np.stack(result))


if __name__ == "__main__":
    main()
