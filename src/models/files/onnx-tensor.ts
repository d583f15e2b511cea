import { each, type Field, fields, integers, readText } from './protobuf.js';

/** An input or output of a network as its file declares it. */
export interface DeclaredTensor {
  name: string;
  /** As the runtime calls it: `float32`; `type 20` where it has no name. */
  type: string;
  /** Free dimensions by name; null where the file leaves the shape open. */
  shape: (number | string)[] | null;
}

/** A weight of a network. */
export interface FoundTensor {
  type: 'float32' | 'other';
  dims: readonly number[];
  /** Little-endian values, as they lie in the file: a view, so that changing them changes the file. */
  bytes: Uint8Array;
}

// Field numbers and element types of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
const valueInfo = { name: 1, type: 2 };
const typeProto = { tensor: 1 };
const tensorType = { element: 1, shape: 2 };
const shapeProto = { dimension: 1 };
const dimension = { value: 1, name: 2 };
const tensor = { dims: 1, type: 2, floats: 4, name: 8, raw: 9, externalData: 13, dataLocation: 14 };

const typeNames: Record<number, string> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
};

/** Fields that hold elements one by one, and the fewest bytes that one of them takes there. */
const listed: Record<number, number> = { 4: 4, 5: 1, 7: 1, 10: 8, 11: 1 };
/** Bits of an element in the raw field, by its type; types of four bits are the smallest that there are. */
const rawBits: Record<number, number> = {
  1: 32,
  2: 8,
  3: 8,
  4: 16,
  5: 16,
  6: 32,
  7: 64,
  9: 8,
  10: 16,
  11: 64,
  12: 32,
  13: 64,
  16: 16,
};
const leastBits = 4;
const textType = 8;

/** A tensor as a network declares it among its inputs or outputs. */
export function readDeclaration(bytes: Uint8Array): DeclaredTensor {
  const found: DeclaredTensor = { name: '', type: 'no tensor', shape: null };
  for (const field of fields(bytes)) {
    if (field.number === valueInfo.name) found.name = readText(field.bytes);
    else if (field.number === valueInfo.type) {
      each(field.bytes, [typeProto.tensor], (type) => Object.assign(found, readTensorType(type)));
    }
  }
  return found;
}

/** A weight with its values. */
export function readTensor(bytes: Uint8Array): FoundTensor {
  const dims: number[] = [];
  let type: FoundTensor['type'] = 'other';
  let values: Uint8Array = new Uint8Array(0);
  for (const field of fields(bytes)) {
    if (field.number === tensor.dims) dims.push(...integers(field));
    else if (field.number === tensor.type && field.value !== null) type = floatOrOther(field.value);
    else if (field.number === tensor.raw || field.number === tensor.floats) values = field.bytes;
  }
  return { type, dims, bytes: values };
}

function floatOrOther(type: number): FoundTensor['type'] {
  return typeNames[type] === 'float32' ? 'float32' : 'other';
}

/**
 * The name of a weight. Throws for one that lies in another file, and for one that claims more elements than it brings:
 * the runtime would take memory for all of them.
 */
export function checkTensor(bytes: Uint8Array): string {
  const found = { name: '', type: 0, elements: 1, raw: 0, room: 0 };
  for (const field of fields(bytes)) {
    if (isElsewhere(field))
      throw new Error(
        'some of its weights lie in other files (external data), which are not read; export it as one file',
      );
    if (field.number === tensor.name) found.name = readText(field.bytes);
    else if (field.number === tensor.type) found.type = field.value ?? 0;
    else if (field.number === tensor.raw) found.raw += field.bytes.length;
    else if (field.number === tensor.dims) for (const side of integers(field)) found.elements *= side;
    else found.room += roomIn(field);
  }
  const held = found.room + Math.floor((found.raw * 8) / (rawBits[found.type] ?? leastBits));
  if (found.type !== textType && !(found.elements >= 0 && found.elements <= held)) {
    throw new Error(
      `its weight "${found.name}" claims ${found.elements} elements and brings ${held}; fetch it anew, or leave it`,
    );
  }
  return found.name;
}

function isElsewhere({ number, value }: Field): boolean {
  return number === tensor.externalData || (number === tensor.dataLocation && value !== 0);
}

/** How many elements can be in a field of them. */
function roomIn({ number, bytes, value }: Field): number {
  const least = listed[number];
  if (least === undefined) return 0;
  return value === null ? Math.floor(bytes.length / least) : 1;
}

function readTensorType(bytes: Uint8Array): Partial<DeclaredTensor> {
  const found: Partial<DeclaredTensor> = {};
  for (const field of fields(bytes)) {
    if (field.number === tensorType.element) found.type = typeNames[field.value ?? 0] ?? `type ${field.value}`;
    else if (field.number === tensorType.shape) found.shape = readShape(field.bytes);
  }
  return found;
}

function readShape(bytes: Uint8Array): (number | string)[] {
  const shape: (number | string)[] = [];
  each(bytes, [shapeProto.dimension], (side) => {
    // One that says nothing is free.
    let found: number | string = '?';
    for (const field of fields(side)) {
      if (field.number === dimension.value) [found = '?'] = integers(field);
      else if (field.number === dimension.name) found = readText(field.bytes);
    }
    shape.push(typeof found === 'number' && found < 0 ? '?' : found);
  });
  return shape;
}
