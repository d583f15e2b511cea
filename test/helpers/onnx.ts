/** Writes ONNX networks of a few hundred bytes, so that tests run real networks without any weights at hand. */

type Message = Uint8Array;
type Scalar = number | string | Message;

/** Field numbers and enum values of onnx.proto. */
const types = { float32: 1, uint8: 2, int32: 6, int64: 7, float16: 10 } as const;
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

export interface TensorInfo {
  name: string;
  type: keyof typeof types;
  shape: (number | string)[];
}

export interface NodeSpec {
  op: string;
  inputs: string[];
  outputs: string[];
  /** Whole numbers become INT or INTS, strings STRING. */
  attributes?: Record<string, number | number[] | string>;
  domain?: string;
}

export interface Initializer {
  name: string;
  dims: number[];
  data: Float32Array | BigInt64Array;
  /** Makes it refer to another file. */
  external?: string;
}

export interface NetworkSpec {
  inputs: TensorInfo[];
  outputs: TensorInfo[];
  nodes: NodeSpec[];
  initializers?: Initializer[];
  /** Operator sets beside ONNX's own. */
  domains?: string[];
}

/** The bytes of an ONNX file (IR 8, opset 17). */
export function onnx({ inputs, outputs, nodes, initializers = [], domains = [] }: NetworkSpec): Uint8Array {
  const graph = message(
    ...nodes.map((node, index) => field(1, nodeMessage(node, index))),
    field(2, 'test'),
    ...initializers.map((tensor) => field(5, tensorMessage(tensor))),
    ...inputs.map((info) => field(11, infoMessage(info))),
    ...outputs.map((info) => field(12, infoMessage(info))),
  );
  const sets = domains.map((domain) => field(8, message(field(1, domain), field(2, 1))));
  return message(field(1, 8), field(7, graph), field(8, message(field(1, ''), field(2, 17))), ...sets);
}

function nodeMessage({ op, inputs, outputs, attributes = {}, domain }: NodeSpec, index: number): Message {
  return message(
    ...inputs.map((name) => field(1, name)),
    ...outputs.map((name) => field(2, name)),
    field(3, `${op}-${index}`),
    field(4, op),
    ...Object.entries(attributes).map(([name, value]) => field(5, attributeMessage(name, value))),
    ...(domain === undefined ? [] : [field(7, domain)]),
  );
}

function attributeMessage(name: string, value: number | number[] | string): Message {
  if (typeof value === 'string') return message(field(1, name), field(4, value), field(20, attributeTypes.string));
  if (typeof value === 'number') return message(field(1, name), field(3, value), field(20, attributeTypes.int));
  return message(field(1, name), ...value.map((item) => field(8, item)), field(20, attributeTypes.ints));
}

function tensorMessage({ name, dims, data, external }: Initializer): Message {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const where = message(field(1, 'location'), field(2, external ?? ''));
  return message(
    ...dims.map((side) => field(1, side)),
    field(2, data instanceof Float32Array ? types.float32 : types.int64),
    field(8, name),
    ...(external === undefined ? [field(9, raw)] : [field(13, where), field(14, 1)]),
  );
}

function infoMessage({ name, type, shape }: TensorInfo): Message {
  const sides = shape.map((side) => field(1, message(typeof side === 'number' ? field(1, side) : field(2, side))));
  const tensor = message(field(1, types[type]), field(2, message(...sides)));
  return message(field(1, name), field(2, message(field(1, tensor))));
}

function message(...fields: Uint8Array[]): Message {
  return Uint8Array.from(Buffer.concat(fields));
}

function field(number: number, value: Scalar): Uint8Array {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Uint8Array {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}
