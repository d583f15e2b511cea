#!/usr/bin/env python3
"""Write the averaged net of a checkpoint as ONNX: 8-bit RGB with even sides and its conditions in, 8-bit RGB out."""
import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from net import CONDITIONS, Restorer

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

    def conv(self, name, x, layer, weight=None):
        weight = layer.weight if weight is None else weight
        values = [self.constant(f'{name}.weight', weight.numpy()), self.constant(f'{name}.bias', layer.bias.numpy())]
        return self.add('Conv', name, x, *values, kernel_shape=[3, 3], pads=[1] * 4)


def build(net):
    g = Graph()
    pixels = g.add('Cast', 'pixels', 'image', to=TensorProto.FLOAT)
    planes = g.add('Transpose', 'planes', pixels, perm=[0, 3, 1, 2])
    unit = g.add('Mul', 'unit', planes, g.constant('inverse', np.float32(1 / 255)))
    half = g.add('SpaceToDepth', 'half', unit, blocksize=2)
    centred = g.add('Sub', 'centred', half, g.constant('middle', np.float32(0.5)))
    shape = g.constant('map.shape', np.array([0, len(CONDITIONS), 1, 1]))
    told = g.add('Reshape', 'told', 'conditions', shape)
    bounds = [g.constant(f'slice.{k}', np.array([v])) for k, v in (('from', 0), ('to', len(CONDITIONS)), ('axis', 1))]
    nothing = g.add('Mul', 'nothing', g.add('Slice', 'some', half, *bounds), g.constant('zero', np.float32(0)))
    maps = g.add('Add', 'maps', nothing, told)
    x = g.add('Concat', 'input', centred, maps, axis=1)
    # SpaceToDepth counts positions before colours, the training's unshuffle the other way round.
    order = [colour * 4 + place for place in range(4) for colour in range(3)]
    weight = torch.cat([net.head.weight[:, order], net.head.weight[:, 12:]], 1)
    x = g.conv('head', x, net.head, weight)
    for index, block in enumerate(net.body):
        name = f'body{index}'
        inner = g.add('Relu', f'{name}.relu', g.conv(f'{name}.first', x, block.first))
        x = g.add('Add', f'{name}.sum', x, g.conv(f'{name}.second', inner, block.second))
    change = g.add('DepthToSpace', 'change', g.conv('tail', x, net.tail), blocksize=2, mode='CRD')
    worst = g.add('ReduceMax', 'worst', told, axes=[1], keepdims=1)
    gate = g.add('Mul', 'gate', g.add('Clip', 'some damage', worst, g.constant('none', np.float32(0)),
                                      g.constant('full', np.float32(0.04))), g.constant('rise', np.float32(25)))
    x = g.add('Add', 'restored planes', unit, g.add('Mul', 'gated', change, gate))
    x = g.add('Mul', 'levels', x, g.constant('peak', np.float32(255)))
    x = g.add('Clip', 'clipped', x, g.constant('lowest', np.float32(0)), g.constant('highest', np.float32(255)))
    x = g.add('Cast', 'bytes', g.add('Round', 'rounded', x), to=TensorProto.UINT8)
    g.add('Transpose', 'restored', x, perm=[0, 2, 3, 1])
    image = helper.make_tensor_value_info('image', TensorProto.UINT8, ['N', 'H', 'W', 3])
    conditions = helper.make_tensor_value_info('conditions', TensorProto.FLOAT, ['N', len(CONDITIONS)])
    restored = helper.make_tensor_value_info('restored', TensorProto.UINT8, ['N', 'H', 'W', 3])
    graph = helper.make_graph(g.nodes, 'restore', [image, conditions], [restored], g.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)], producer_name='darkroom')
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('model', type=Path)
    o = parser.parse_args()
    saved = torch.load(o.checkpoint, map_location='cpu', weights_only=False)
    net = Restorer(**saved['config'])
    net.load_state_dict(saved['ema'])
    net.requires_grad_(False)
    onnx.save(build(net), o.model)
    print(f'{o.model.name}: step {saved["step"]}, {sum(p.numel() for p in net.parameters())} parameters, '
          f'radius {net.radius}, {o.model.stat().st_size} bytes')
    check(net, o.model)


def check(net, path):
    """The file gives what the net gives."""
    try:
        import onnxruntime
    except ImportError:
        return
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (1, 34, 58, 3), dtype=np.uint8)
    told = np.array([[0.4, 0.2, 0.1]], np.float32)
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    found = session.run(None, {'image': image, 'conditions': told})[0]
    wanted = net(torch.from_numpy(image.transpose(0, 3, 1, 2) / np.float32(255)), torch.from_numpy(told))
    wanted = (wanted * 255).clamp(0, 255).round().byte().numpy().transpose(0, 2, 3, 1)
    assert np.abs(found.astype(int) - wanted).max() <= 1, 'the exported file differs from the net'


if __name__ == '__main__':
    main()
