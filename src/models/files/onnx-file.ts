import { EngineError } from '../../engine/errors.js';
import { checkTensor, type DeclaredTensor, type FoundTensor, readDeclaration, readTensor } from './onnx-tensor.js';
import { each, fields, readText } from './protobuf.js';

/** What a network takes and gives, in the order of the file. */
export interface DeclaredSignature {
  inputs: DeclaredTensor[];
  outputs: DeclaredTensor[];
}

/**
 * What a network declares, read from its protobuf structure without making a session. Refuses what reaches outside of its
 * file (weights in other files, operators that only a foreign library knows), what is cut off, and tensors that claim
 * more elements than the file holds. Errors: `model_unavailable`.
 */
export function readNetwork(bytes: Uint8Array, id: string): DeclaredSignature {
  try {
    return readModel(bytes);
  } catch (error) {
    const isBroken = error instanceof RangeError;
    const reason = isBroken ? 'the file is no complete ONNX network; fetch it anew' : (error as Error).message;
    throw new EngineError('model_unavailable', `Model "${id}" is refused: ${reason}`, { cause: error });
  }
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

// Operator sets that the runtime brings itself.
const knownDomains = ['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft', 'com.microsoft.nchwc'];

// Field numbers of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): where tensors and graphs can be.
const model = { graph: 7, operatorSets: 8, functions: 25 };
const graph = { nodes: 1, initializers: 5, inputs: 11, outputs: 12, sparseInitializers: 15 };
const node = { attributes: 5, domain: 7 };
const attribute = { tensor: 5, graph: 6, tensors: 10, graphs: 11, sparseTensor: 22, sparseTensors: 23 };
const sparse = { values: 1, indices: 2 };
const operatorSet = { domain: 1 };
const functionProto = { nodes: 7 };

function readModel(bytes: Uint8Array): DeclaredSignature {
  let found: DeclaredSignature | null = null;
  for (const field of fields(bytes)) {
    if (field.number === model.graph) found = readGraph(field.bytes);
    else if (field.number === model.operatorSets) each(field.bytes, [operatorSet.domain], checkDomain);
    else if (field.number === model.functions) each(field.bytes, [functionProto.nodes], checkNode);
  }
  if (!found) throw new RangeError('no graph');
  return found;
}

function checkDomain(text: Uint8Array): void {
  const domain = readText(text);
  if (!knownDomains.includes(domain)) {
    throw new Error(`it needs the foreign operators "${domain}", which are not loaded; export it with ONNX's own`);
  }
}

function readGraph(bytes: Uint8Array): DeclaredSignature {
  const constants = new Set<string>();
  const [inputs, outputs]: [DeclaredTensor[], DeclaredTensor[]] = [[], []];
  for (const field of fields(bytes)) {
    if (field.number === graph.nodes) checkNode(field.bytes);
    else if (field.number === graph.initializers) constants.add(checkTensor(field.bytes));
    else if (field.number === graph.sparseInitializers) checkSparse(field.bytes);
    else if (field.number === graph.inputs) inputs.push(readDeclaration(field.bytes));
    else if (field.number === graph.outputs) outputs.push(readDeclaration(field.bytes));
  }
  // Before version 4 of the format every weight was declared as an input too.
  return { inputs: inputs.filter(({ name }) => !constants.has(name)), outputs };
}

function checkNode(bytes: Uint8Array): void {
  for (const field of fields(bytes)) {
    if (field.number === node.domain) checkDomain(field.bytes);
    else if (field.number === node.attributes) checkAttribute(field.bytes);
  }
}

function checkAttribute(bytes: Uint8Array): void {
  each(bytes, [attribute.tensor, attribute.tensors], checkTensor);
  each(bytes, [attribute.graph, attribute.graphs], readGraph);
  each(bytes, [attribute.sparseTensor, attribute.sparseTensors], checkSparse);
}

function checkSparse(bytes: Uint8Array): void {
  each(bytes, [sparse.values, sparse.indices], checkTensor);
}
