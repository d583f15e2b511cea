#!/usr/bin/env python3
"""Write the averaged net of a checkpoint as ONNX: 8-bit RGB pictures in, 8-bit RGB pictures out."""
import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from net import Upscaler

OPSET = 17


class Graph:
    """Collects nodes and weights; every node has one output, named after it."""

    def __init__(self):
        self.nodes, self.weights = [], []

    def constant(self, name, value):
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, kind, name, *inputs, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def conv(self, name, x, layer, gain=1):
        weights = [self.constant(f'{name}.{key}', gain * value.numpy()) for key, value in layer.state_dict().items()]
        return self.add('Conv', name, x, *weights, kernel_shape=list(layer.kernel_size), pads=[layer.padding[0]] * 4)


def build(net):
    """The model, with sizes left open: nothing in it depends on the picture but the padding of its rim."""
    g = Graph()
    pixels = g.add('Cast', 'pixels', 'image', to=TensorProto.FLOAT)
    planes = g.add('Transpose', 'planes', pixels, perm=[0, 3, 1, 2])
    unit = g.add('Mul', 'unit', planes, g.constant('inverse', np.float32(1 / 255)))
    x = g.add('Sub', 'centred', unit, g.constant('half', np.float32(0.5)))
    x = g.conv('head', x, net.head)
    for index, block in enumerate(net.body):
        name = f'body{index}'
        inner = g.conv(f'{name}.first', x, block.first)
        inner = g.add('Relu', f'{name}.relu', inner)
        inner = g.conv(f'{name}.second', inner, block.second)
        x = g.add('Add', f'{name}.sum', x, inner)
    # Detail and skip come out in 0..255 at once, sparing a pass over the large picture.
    detail = g.conv('tail', x, net.tail, gain=255)
    padded = g.add('Pad', 'rim', planes, g.constant('rim.sizes', np.array([0, 0, 2, 2, 0, 0, 2, 2])), mode='edge')
    x = g.add('Add', 'sum', g.conv('skip', padded, net.skip), detail)
    x = g.add('DepthToSpace', 'shuffled', x, blocksize=net.scale, mode='CRD')
    x = g.add('Clip', 'clipped', x, g.constant('lowest', np.float32(0)), g.constant('highest', np.float32(255)))
    x = g.add('Cast', 'bytes', g.add('Round', 'rounded', x), to=TensorProto.UINT8)
    g.add('Transpose', 'upscaled', x, perm=[0, 2, 3, 1])
    image = helper.make_tensor_value_info('image', TensorProto.UINT8, ['N', 'H', 'W', 3])
    upscaled = helper.make_tensor_value_info('upscaled', TensorProto.UINT8, ['N', f'{net.scale}H', f'{net.scale}W', 3])
    graph = helper.make_graph(g.nodes, f'upscale-x{net.scale}', [image], [upscaled], g.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)], producer_name='darkroom')
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('model', type=Path)
    o = parser.parse_args()
    saved = torch.load(o.checkpoint, map_location='cpu')
    net = Upscaler(**saved['config'])
    net.load_state_dict(saved['ema'])
    onnx.save(build(net), o.model)
    print(f'{o.model.name}: step {saved["step"]}, {sum(p.numel() for p in net.parameters())} parameters, '
          f'{net.macs} MACs per input pixel, radius {net.radius}, {o.model.stat().st_size} bytes')


if __name__ == '__main__':
    main()
