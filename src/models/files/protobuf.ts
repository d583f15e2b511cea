/** Reading protobuf messages without code made from their schema (https://protobuf.dev/programming-guides/encoding/). */

/** One field of a message. */
export interface Field {
  number: number;
  /** Of a field with a length or of fixed width; empty otherwise. */
  bytes: Uint8Array;
  /** Of a field that is one whole number; null otherwise. */
  value: number | null;
}

const nothing = new Uint8Array(0);

/** The fields of one message, in the order of the file. Throws RangeError for what is cut off or no message. */
export function* fields(bytes: Uint8Array): Generator<Field> {
  for (let at = 0; at < bytes.length; ) {
    const key = readVarint(bytes, at);
    const [number, wire] = [Math.floor(key.value / 8), key.value % 8];
    if (wire === 0) {
      const { value, end } = readVarint(bytes, key.end);
      yield { number, bytes: nothing, value };
      at = end;
    } else {
      const { value: length, end: begin } = lengthOf(wire, bytes, key.end);
      if (begin + length > bytes.length) throw new RangeError('cut off');
      at = begin + length;
      yield { number, bytes: bytes.subarray(begin, at), value: null };
    }
  }
}

/** Calls `visit` with the bytes of every field that has one of these numbers. */
export function each(bytes: Uint8Array, numbers: number[], visit: (value: Uint8Array) => void): void {
  for (const field of fields(bytes)) if (numbers.includes(field.number)) visit(field.bytes);
}

/** The whole numbers in one field of a repeated one, which may be packed; negative ones are -1. */
export function integers({ bytes, value }: Field): number[] {
  if (value !== null) return [signed(value)];
  const found: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const next = readVarint(bytes, at);
    found.push(signed(next.value));
    at = next.end;
  }
  return found;
}

/** The text of a field. */
export function readText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function lengthOf(wire: number, bytes: Uint8Array, at: number): { value: number; end: number } {
  if (wire === 2) return readVarint(bytes, at);
  if (wire === 1 || wire === 5) return { value: wire === 1 ? 8 : 4, end: at };
  throw new RangeError(`wire type ${wire}`);
}

/** Seven bits a byte, lowest first; ten bytes hold the 64 bits that there can be. */
function readVarint(bytes: Uint8Array, begin: number): { value: number; end: number } {
  let value = 0;
  for (let at = begin; at < begin + 10; at++) {
    const byte = bytes[at];
    if (byte === undefined) break;
    value += (byte & 127) * 128 ** (at - begin);
    if (byte < 128) return { value, end: at + 1 };
  }
  throw new RangeError('cut off');
}

function signed(value: number): number {
  return value >= 2 ** 63 ? -1 : value;
}
