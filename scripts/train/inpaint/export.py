#!/usr/bin/env python3
"""Write the weights as ONNX: float `picture` [N,3,H,W] and `mask` [N,1,H,W] in, `filled` out; any multiples of 8."""
import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn import functional as F

from net import InpaintNet

MODEL = Path(__file__).resolve().parents[3] / 'src/models/bundled/inpaint.onnx'


class Exported(nn.Module):
    """The net whose space-to-depth and first convolution are one convolution with a stride."""

    def __init__(self, net):
        super().__init__()
        weight = net.stem.weight  # [o, 4 * 4, 3, 3]; channel = input * 4 + row * 2 + column within the 2 x 2 block
        o = weight.shape[0]
        weight = weight.reshape(o, 4, 2, 2, 3, 3).permute(0, 1, 4, 2, 5, 3).reshape(o, 4, 6, 6)
        self.stem = nn.Conv2d(4, o, 6, 2, 2)
        self.stem.weight.data.copy_(weight)
        self.stem.bias.data.copy_(net.stem.bias)
        self.net = net

    def forward(self, picture, mask):
        x = torch.cat([picture - 0.5, mask], 1)
        return picture + self.net.correct(F.relu(self.stem(x)))


def pack(model):
    """Weights in half precision, cast when they are loaded: half the file, the same speed."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim == 4:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + '.half'))
            casts.append(helper.make_node('Cast', [name + '.half'], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def strip(model):
    """Nothing of the machine that it was made on; free sizes by name."""
    model.doc_string, model.producer_name, model.producer_version = '', '', ''
    model.graph.doc_string, model.graph.name = '', 'inpaint'
    del model.metadata_props[:]
    del model.graph.value_info[:]
    for index, node in enumerate(model.graph.node):
        node.name, node.doc_string = f'{node.op_type}_{index}', ''
        del node.metadata_props[:]
    for value, dims in zip([*model.graph.input, *model.graph.output], ('N3HW', 'N1HW', 'N3HW')):
        for dim, name in zip(value.type.tensor_type.shape.dim, dims):
            dim.Clear()
            if name.isdigit():
                dim.dim_value = int(name)
            else:
                dim.dim_param = name


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('out', type=Path, nargs='?', default=MODEL)
    parser.add_argument('--last', action='store_true', help='the last weights, not their average over about 1,000 steps')
    o = parser.parse_args()
    saved = torch.load(o.checkpoint, map_location='cpu', weights_only=False)
    net = InpaintNet(**saved['config']).eval()
    net.load_state_dict(saved['net' if o.last else 'ema'])
    picture, mask = torch.rand(2, 3, 64, 96), (torch.rand(2, 1, 64, 96) > 0.5).float()
    exported = Exported(net).eval()
    with torch.no_grad():
        assert (exported(picture, mask) - net(picture, mask)).abs().max() < 1e-4
    axes = {name: {0: 'N', 2: 'H', 3: 'W'} for name in ('picture', 'mask', 'filled')}
    options = {'dynamo': False} if 'dynamo' in torch.onnx.export.__code__.co_varnames else {}
    torch.onnx.export(exported, (picture, mask), o.out, input_names=['picture', 'mask'], output_names=['filled'],
                      dynamic_axes=axes, opset_version=17, **options)
    model = onnx.load(o.out)
    pack(model)
    strip(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, o.out)
    print(o.out, o.out.stat().st_size, 'bytes, step', saved['step'])


if __name__ == '__main__':
    main()
