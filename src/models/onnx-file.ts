import { EngineError } from '../engine/errors.js';

/**
 * Refuses a network that reaches outside of its file: weights in other files (`external_data`), and operators that only a
 * foreign library knows. Reads the protobuf structure and skips the weights. Errors: `model_unavailable`.
 */
export function checkSelfContained(bytes: Uint8Array, id: string): void {
  try {
    checkModel(bytes);
  } catch (error) {
    const reason = error instanceof RangeError ? 'the file is no complete ONNX network' : (error as Error).message;
    throw new EngineError('model_unavailable', `Model "${id}" is refused: ${reason}`, { cause: error });
  }
}

// Operator sets that the runtime brings itself.
const knownDomains = ['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft', 'com.microsoft.nchwc'];

// Field numbers of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): where tensors and graphs can be.
const model = { graph: 7, operatorSets: 8, functions: 25 };
const graph = { nodes: 1, initializers: 5, sparseInitializers: 15 };
const node = { attributes: 5 };
const attribute = { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparseTensor: 22, sparseTensors: 23 };
const sparse = { values: 1, indices: 2 };
const tensor = { dims: 1, dataType: 2, floatData: 4, rawData: 9, externalData: 13, dataLocation: 14 };
const float32Type = 1;
const operatorSet = { domain: 1 };
const functionProto = { nodes: 7 };

/** A weight of a network. */
export interface FoundTensor {
  type: 'float32' | 'other';
  dims: readonly number[];
  /** Little-endian values, as they lie in the file: a view, so that changing them changes the file. */
  bytes: Uint8Array;
}

/** The weights of a network that are listed as initializers, in their order. Errors: RangeError for a file that is cut off. */
export function initializersOf(bytes: Uint8Array): FoundTensor[] {
  const found: FoundTensor[] = [];
  each(bytes, [model.graph], (inner) => {
    each(inner, [graph.initializers], (value) => {
      found.push(readTensor(value));
    });
  });
  return found;
}

function readTensor(bytes: Uint8Array): FoundTensor {
  const dims: number[] = [];
  let type = 0;
  let values: Uint8Array = nothing;
  for (const field of fields(bytes)) {
    if (field.number === tensor.dims) dims.push(...(field.bytes.length > 0 ? packed(field.bytes) : [field.value]));
    else if (field.number === tensor.dataType) type = field.value;
    else if (field.number === tensor.rawData || field.number === tensor.floatData) values = field.bytes;
  }
  return { type: type === float32Type ? 'float32' : 'other', dims, bytes: values };
}

function checkModel(bytes: Uint8Array): void {
  let hasGraph = false;
  for (const field of fields(bytes)) {
    if (field.number === model.graph) {
      hasGraph = true;
      checkGraph(field.bytes);
    } else if (field.number === model.operatorSets) checkOperatorSet(field.bytes);
    else if (field.number === model.functions) each(field.bytes, [functionProto.nodes], checkNode);
  }
  if (!hasGraph) throw new RangeError('no graph');
}

function checkOperatorSet(bytes: Uint8Array): void {
  each(bytes, [operatorSet.domain], (text) => {
    const domain = Buffer.from(text).toString('utf8');
    if (!knownDomains.includes(domain)) throw new Error(`it needs the foreign operators "${domain}"`);
  });
}

function checkGraph(bytes: Uint8Array): void {
  for (const field of fields(bytes)) {
    if (field.number === graph.nodes) checkNode(field.bytes);
    else if (field.number === graph.initializers) checkTensor(field.bytes);
    else if (field.number === graph.sparseInitializers) checkSparse(field.bytes);
  }
}

function checkNode(bytes: Uint8Array): void {
  each(bytes, [node.attributes], (value) => {
    each(value, [attribute.tensor, attribute.tensors], checkTensor);
    each(value, [attribute.graph, attribute.graphs], checkGraph);
    each(value, [attribute.sparseTensor, attribute.sparseTensors], checkSparse);
  });
}

function checkSparse(bytes: Uint8Array): void {
  each(bytes, [sparse.values, sparse.indices], checkTensor);
}

function checkTensor(bytes: Uint8Array): void {
  for (const field of fields(bytes)) {
    const isExternal =
      field.number === tensor.externalData || (field.number === tensor.dataLocation && field.value !== 0);
    if (isExternal) throw new Error('some of its weights lie in other files (external data), which are not checked');
  }
}

function each(bytes: Uint8Array, numbers: number[], visit: (value: Uint8Array) => void): void {
  for (const field of fields(bytes)) if (numbers.includes(field.number)) visit(field.bytes);
}

/** Numbers that lie one after the other in one field. */
function packed(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let [value, factor] = [0, 1];
  for (const byte of bytes) {
    value += (byte & 127) * factor;
    factor *= 128;
    if (byte >= 128) continue;
    values.push(value);
    [value, factor] = [0, 1];
  }
  return values;
}

interface Field {
  number: number;
  /** Of a length-delimited field; empty otherwise. */
  bytes: Uint8Array;
  /** Of a varint field; 0 otherwise. */
  value: number;
}

const nothing = new Uint8Array(0);

/** The fields of one protobuf message (https://protobuf.dev/programming-guides/encoding/). */
function* fields(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('cut off');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError('cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const [number, wire] = [Math.floor(key / 8), key % 8];
    if (wire === 0) yield { number, bytes: nothing, value: varint() };
    else if (wire === 2) yield { number, bytes: take(varint()), value: 0 };
    else if (wire === 1 || wire === 5) yield { number, bytes: take(wire === 1 ? 8 : 4), value: 0 };
    else throw new RangeError(`wire type ${wire}`);
  }
}
