/** Shape of a network of 3×3 convolutions: `layers` of them, `channels` wide, on a square picture. */
export interface ConvShape {
  side: number;
  channels: number;
  layers: number;
}

const floatType = 1;
const opset = 13;

/**
 * An ONNX file with convolutions and rectifiers, weights from a fixed sequence: something to measure a machine with that
 * needs no file. Input `input`, output `output`, both float32 [1, 3, side, side].
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export function convNetwork({ side, channels, layers }: ConvShape): Uint8Array {
  const widths = [3, ...Array.from({ length: layers - 1 }, () => channels), 3];
  const random = sequence();
  const nodes: Uint8Array[] = [];
  const weights: Uint8Array[] = [];
  for (let layer = 0; layer < layers; layer += 1) {
    const [from = 3, to = 3] = widths.slice(layer, layer + 2);
    const source = layer === 0 ? 'input' : `relu${layer - 1}`;
    const isLast = layer === layers - 1;
    nodes.push(convolution(source, `weight${layer}`, isLast ? 'output' : `conv${layer}`));
    if (!isLast) nodes.push(join(text(1, `conv${layer}`), text(2, `relu${layer}`), text(4, 'Relu')));
    weights.push(kernel(`weight${layer}`, [to, from, 3, 3], random));
  }
  const graph = join(
    ...nodes.map((node) => part(1, node)),
    text(2, 'probe'),
    ...weights.map((weight) => part(5, weight)),
    part(11, picture('input', side)),
    part(12, picture('output', side)),
  );
  return join(number(1, 7), part(7, graph), part(8, join(text(1, ''), number(2, opset))));
}

/** A picture for such a network, CHW, values 0..1. */
export function convInput({ side }: ConvShape): Float32Array {
  const random = sequence();
  return Float32Array.from({ length: 3 * side * side }, () => random() + 0.5);
}

function convolution(input: string, weight: string, output: string): Uint8Array {
  const [attributeName, attributeInts, attributeType, ints] = [1, 8, 20, 7];
  const pads = [1, 1, 1, 1].map((pad) => number(attributeInts, pad));
  const attribute = join(text(attributeName, 'pads'), ...pads, number(attributeType, ints));
  return join(text(1, input), text(1, weight), text(2, output), text(4, 'Conv'), part(5, attribute));
}

/** Weights of zero mean, scaled so that a signal keeps its size from layer to layer (He). */
function kernel(name: string, dims: number[], random: () => number): Uint8Array {
  const [, from = 1, height = 1, width = 1] = dims;
  const scale = Math.sqrt(24 / (from * height * width));
  const count = dims.reduce((product, dim) => product * dim, 1);
  const values = Float32Array.from({ length: count }, () => random() * scale);
  const raw = new Uint8Array(values.buffer);
  return join(...dims.map((dim) => number(1, dim)), number(2, floatType), text(8, name), part(9, raw));
}

function picture(name: string, side: number): Uint8Array {
  const shape = join(...[1, 3, side, side].map((dim) => part(1, number(1, dim))));
  const tensor = join(number(1, floatType), part(2, shape));
  return join(text(1, name), part(2, part(1, tensor)));
}

/** Numbers from -0.5 to 0.5, the same every time (a linear congruential generator, Numerical Recipes 7.1). */
function sequence(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

// Protocol buffers: a key (field number and wire type), then a variable-length integer, or a length and that many bytes.

function number(field: number, value: number): Uint8Array {
  return join(varint(field << 3), varint(value));
}

function text(field: number, value: string): Uint8Array {
  return part(field, new TextEncoder().encode(value));
}

function part(field: number, bytes: Uint8Array): Uint8Array {
  return join(varint((field << 3) | 2), varint(bytes.length), bytes);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
