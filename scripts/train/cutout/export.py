"""Writes the averaged weights as ONNX: uint8 NHWC `image` in, float32 `alpha` [N,1,H,W] out, any multiples of 32."""
import os

import onnx
import torch
from torch import nn

from common import MODEL, parser
from net import CutoutNet


class Exported(nn.Module):
    """The net with its picture handling; the stem's space-to-depth and convolution become one strided convolution."""

    def __init__(self, net):
        super().__init__()
        fused = torch.nn.utils.fuse_conv_bn_eval(net.stem[0], net.stem[1])
        weight = fused.weight  # [o, 3 * 4, 3, 3]; channel = colour * 4 + row * 2 + column within the 2 x 2 block
        o = weight.shape[0]
        weight = weight.reshape(o, 3, 2, 2, 3, 3).permute(0, 1, 4, 2, 5, 3).reshape(o, 3, 6, 6)
        strided = nn.Conv2d(3, o, 6, 2, 2)
        strided.weight.data.copy_(weight)
        strided.bias.data.copy_(fused.bias)
        self.stem = nn.Sequential(strided, nn.ReLU())
        self.net = net
        net.stem = nn.Identity()

    def forward(self, image):
        x = image.permute(0, 3, 1, 2).float() * (1 / 255) - 0.5
        return torch.sigmoid(self.net.decode(self.stem(x)))


def strip(path):
    """Removes names of modules and source files; fails if the graph is not what the engine expects."""
    model = onnx.load(path)
    model.doc_string, model.producer_name, model.producer_version = "", "", ""
    model.graph.doc_string, model.graph.name = "", "cutout"
    del model.metadata_props[:]
    for i, node in enumerate(model.graph.node):
        node.name, node.doc_string = f"{node.op_type}_{i}", ""
        if hasattr(node, "metadata_props"):
            del node.metadata_props[:]
        if node.op_type == "Resize":
            assert len(node.input) == 3, "Resize must scale, not aim at a size"
    del model.graph.value_info[:]
    for value, dims in ((model.graph.input[0], "NHW3"), (model.graph.output[0], "N1HW")):
        for dim, name in zip(value.type.tensor_type.shape.dim, dims):
            dim.Clear()
            if name.isdigit():
                dim.dim_value = int(name)
            else:
                dim.dim_param = name
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def main():
    p = parser(__doc__)
    p.add_argument("--name", default="cutout", help="name of the checkpoint")
    p.add_argument("--out", default=MODEL)
    a = p.parse_args()
    net = CutoutNet()
    net.load_state_dict(torch.load(os.path.join(a.cache, a.name + ".pt"), map_location="cpu")["ema"])
    net.eval()
    image = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    with torch.no_grad():
        expected = torch.sigmoid(net(image.permute(0, 3, 1, 2).float() / 255))
        exported = Exported(net).eval()
        assert (exported(image) - expected).abs().max() < 1e-4
    axes = {"image": {0: "N", 1: "H", 2: "W"}, "alpha": {0: "N", 2: "H", 3: "W"}}
    options = {"dynamo": False} if "dynamo" in torch.onnx.export.__code__.co_varnames else {}
    torch.onnx.export(exported, (image,), a.out, input_names=["image"], output_names=["alpha"], dynamic_axes=axes,
                      opset_version=17, **options)
    strip(a.out)
    print(a.out, os.path.getsize(a.out), "bytes")


if __name__ == "__main__":
    main()
