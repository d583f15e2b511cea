/**
 * Writes WebAssembly: instructions are functions from the code of their operands to code, so that a routine reads like an
 * expression. Only what our routines use (WebAssembly Core Specification 2.0, chapter 5: binary format).
 */
export type Code = readonly number[];

export type ValueType = 'i32' | 'f64' | 'v128';

/** The number of a parameter or a local variable. */
export type Variable = number;

/** A function that WebAssembly runs: no result, the variables by name. */
export interface Routine {
  params: readonly ValueType[];
  locals: readonly ValueType[];
  body: Code;
}

const bytesOf: Record<ValueType, number> = { i32: 0x7f, f64: 0x7c, v128: 0x7b };
const nothing = 0x40;

const plain = (code: number) => joined([code]);
/** One of the instructions on vectors, which share their first byte. */
const vector = (code: number) => joined([0xfd, ...unsigned(code)]);
/** One that reads or writes memory: the power of two that addresses are divisible by (none need be), and an offset. */
const onMemory = (code: Code) => joined([...code, 0, 0]);

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: plain(0x6a),
  subtract: plain(0x6b),
  multiply: plain(0x6c),
  and: plain(0x71),
  isLess: plain(0x48),
  /** As numbers without a sign: a negative one is above all others. */
  isBelow: plain(0x49),
  isMore: plain(0x4a),
  isZero: plain(0x45),
  /** Toward zero; more than 31 bits are a trap. */
  from: plain(0xaa),
};

export const f64 = {
  const: (value: number): Code => [0x44, ...new Uint8Array(new Float64Array([value]).buffer)],
  load: onMemory([0x2b]),
  add: plain(0xa0),
  subtract: plain(0xa1),
  multiply: plain(0xa2),
  divide: plain(0xa3),
  nearest: plain(0x9e),
  from: plain(0xb7),
};

/** Vectors of 128 bits; `i32x4` and the like say what their bits are taken for. */
export const v128 = {
  load: onMemory([0xfd, 0x00]),
  /** The other lanes are 0. */
  load32: onMemory([0xfd, 0x5c]),
  /** Address and vector: the vector with one of its 16 bit wide lanes from memory. */
  load16Lane: (lane: number) => joined([0xfd, 0x55, 0, 0, lane]),
  /** Address and vector. */
  store32: joined([0xfd, 0x5a, 0, 0, 0]),
  and: vector(0x4e),
  /** Bits of the first where those of the third are 1, else of the second. */
  select: vector(0x52),
  isAny: vector(0x53),
};

export const i8x16 = {
  const: (lanes: readonly number[]): Code => [0xfd, 0x0c, ...lanes],
  /** Of the first vector the bytes that those of the second one number. */
  reorder: vector(0x0e),
  /** Two vectors of 8 lanes of 16 bits, each kept within 0..255. */
  narrow: vector(0x66),
};

export const i16x8 = {
  /** From the first 8 bytes of a vector. */
  fromBytes: vector(0x89),
  /** Two vectors of 4 lanes, each kept within 16 bits. */
  narrow: vector(0x85),
};

export const i32x4 = {
  const: (lanes: readonly number[]): Code => i8x16.const([...new Uint8Array(new Int32Array(lanes).buffer)]),
  /** The same value in each lane. */
  splat: vector(0x11),
  lane: (lane: number) => joined([0xfd, 0x1b, lane]),
  isLess: vector(0x39),
  from16: vector(0xa9),
  shiftLeft: vector(0xab),
  /** The sign stays. */
  shiftRight: vector(0xac),
  add: vector(0xae),
  subtract: vector(0xb1),
  multiply: vector(0xb5),
  least: vector(0xb6),
  /** Products of two vectors of 8 lanes of 16 bits, neighbours added. */
  dot: vector(0xba),
};

export const get = (variable: Variable): Code => [0x20, ...unsigned(variable)];
export const set = (variable: Variable, value: Code): Code => [...value, 0x21, ...unsigned(variable)];
/** The first if the third is not 0, else the second. */
export const select: (...operands: Code[]) => Code = plain(0x1b);
export const together = (...parts: Code[]): Code => parts.flat();
/** Does something again and again, at least once, as long as a condition holds after it. */
export const repeatWhile = (condition: Code, ...body: Code[]): Code => [
  ...[0x03, nothing, ...body.flat(), ...condition],
  ...[0x0d, 0, 0x0b],
];
export const when = (condition: Code, ...body: Code[]): Code => [...condition, 0x04, nothing, ...body.flat(), 0x0b];
export const choose = (condition: Code, then: Code, otherwise: Code): Code => [
  ...[...condition, 0x04, nothing, ...then],
  ...[0x05, ...otherwise, 0x0b],
];

/** Names for the parameters and local variables of a routine, and what it does with them. */
export function routine<Name extends string, Local extends string>(
  params: Record<Name, ValueType>,
  locals: Record<Local, ValueType>,
  body: (variables: Record<Name | Local, Variable>) => Code,
): Routine {
  const names = [...Object.keys(params), ...Object.keys(locals)];
  const variables = Object.fromEntries(names.map((name, index) => [name, index])) as Record<Name | Local, Variable>;
  return { params: Object.values(params), locals: Object.values(locals), body: body(variables) };
}

/** The bytes of a module with these functions, on memory that it imports as `canvas.memory` and shares with threads. */
export function assemble(routines: Record<string, Routine>, mostPages: number): Uint8Array<ArrayBuffer> {
  const names = Object.keys(routines);
  const all = Object.values(routines);
  const memory = [...text('canvas'), ...text('memory'), 0x02, 0x03, ...unsigned(1), ...unsigned(mostPages)];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      all.map(({ params }) => [0x60, ...list(params.map((type) => [bytesOf[type]])), 0]),
    ),
    ...section(2, [memory]),
    ...section(
      3,
      all.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      names.map((name, index) => [...text(name), 0x00, ...unsigned(index)]),
    ),
    ...section(10, all.map(functionBody)),
  ]);
}

function functionBody({ locals, body }: Routine): Code {
  const code = [...list(locals.map((type) => [1, bytesOf[type]])), ...body, 0x0b];
  return [...unsigned(code.length), ...code];
}

function section(id: number, items: readonly Code[]): Code {
  const content = list(items);
  return [id, ...unsigned(content.length), ...content];
}

function list(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): Code {
  return list([...Buffer.from(value)].map((byte) => [byte]));
}

function joined(instruction: Code): (...operands: Code[]) => Code {
  return (...operands) => [...operands.flat(), ...instruction];
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}
