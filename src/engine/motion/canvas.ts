import { EngineError } from '../errors.js';
import type { Frame, Size } from '../media/media.js';
import { assemble } from './assembly.js';
import type { Mesh } from './mesh.js';
import { createPlane, type PaddedPlane } from './plane.js';
import { type Stroke, strokes } from './strokes.js';

/** The planes of a frame; chroma has one sample for two pixels, across and down. */
export type Channel = 'luma' | 'cb' | 'cr';

/** What of WebAssembly is used; the types of Node do not tell of it. */
declare namespace WebAssembly {
  class Memory {
    constructor(limits: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    constructor(module: Module, imports: { canvas: { memory: Memory } });
    readonly exports: unknown;
  }
}

const pageBytes = 65_536;
/** 2 GiB: addresses are positive numbers of 32 bits. */
const mostPages = 32_768;

/** Shares are in 256ths, and between two places exact to a 65536th of that. */
const oneShare = 256;

const compiled = new WebAssembly.Module(assemble(strokes, mostPages));

/** Places are exact to a 65536th of a sample: over 32,768 samples they fit into 31 bits. */
const one = 65_536;

/** Beyond the end of a plane, so that a place on its last row has a row below it. */
const margin = 64;

/**
 * A frame that is drawn, and the planes that it is drawn of, in memory of its own for inner loops in WebAssembly, which take
 * a quarter of the time of the same loops in JavaScript.
 */
export class Canvas {
  // Shared, although no other thread has it: so its parts stay in place when it grows.
  readonly #memory = allocating(() => new WebAssembly.Memory({ initial: 1, maximum: mostPages, shared: true }));
  readonly #strokes = new WebAssembly.Instance(compiled, { canvas: { memory: this.#memory } }).exports as Record<
    keyof typeof strokes,
    Stroke
  >;
  #end = 0;
  /** Parts that are not used any more, by their length. */
  readonly #free = new Map<number, Uint8Array[]>();
  #nodes: Float64Array = new Float64Array();
  readonly frame: Frame;

  constructor({ width, height }: Size) {
    this.frame = { width, height, data: this.#allocate((width * height * 3) / 2) };
  }

  /** A plane of undefined content that the frame can be drawn of. Errors: `out_of_memory`. */
  plane(size: Size, pad: number): PaddedPlane {
    return createPlane(size, pad, (bytes) => this.#allocate(bytes));
  }

  /** Gives the memory of planes to the next ones of their size. */
  release(...planes: PaddedPlane[]): void {
    for (const { data } of planes) this.#free.set(data.length, [...(this.#free.get(data.length) ?? []), data]);
  }

  /** Fills a plane of the frame with what the mesh says of a plane of this canvas, as it is or as far as `share` (0..1) and the shares of the mesh say. */
  draw(source: PaddedPlane, mesh: Mesh, { channel, share }: { channel: Channel; share?: number }): void {
    if (share === undefined) this.#sweep('copy', source, { mesh, channel });
    else this.#sweep('mix', source, { mesh, channel, share });
  }

  /** Lays a plane, whose samples are multiplied by those of `alpha` already, over the frame; beyond it is nothing. */
  cover(source: PaddedPlane, alpha: PaddedPlane, { mesh, channel }: { mesh: Mesh; channel: Channel }): void {
    this.#sweep('cover', source, { mesh, channel, alpha });
  }

  #sweep(
    name: keyof typeof strokes,
    source: PaddedPlane,
    { mesh, channel, share = 1, alpha }: { mesh: Mesh; channel: Channel; share?: number; alpha?: PaddedPlane },
  ): void {
    const { step, columns, rows } = mesh;
    const { at, width, height, spacing, siting } = this.#target(channel);
    const nodes = this.#place(source, mesh, share);
    const alphaAt = alpha?.data.byteOffset ?? 0;
    const stroke = this.#strokes[name];
    const [from, cell, begin] = [source.data.byteOffset, step / spacing, siting.x / spacing];
    const rowBytes = 3 * columns * Float64Array.BYTES_PER_ELEMENT;
    for (let y = 0; y < height; y++) {
      const row = Math.min(Math.floor(y / cell), rows - 2);
      const down = (y * spacing + siting.y - row * step) / step;
      const upper = nodes + row * rowBytes;
      stroke(from, source.stride, upper, upper + rowBytes, down, cell, begin, width, at + y * width, alphaAt);
    }
  }

  #target(channel: Channel) {
    const { width, height, data } = this.frame;
    const at = data.byteOffset;
    // Luma lies in the middle of its pixel, chroma on a column, between two rows.
    if (channel === 'luma') return { at, width, height, spacing: 1, siting: { x: 0.5, y: 0.5 } };
    const half = { width: width / 2, height: height / 2, spacing: 2, siting: { x: 0.5, y: 1 } };
    return { at: at + width * height * (channel === 'cb' ? 1 : 1.25), ...half };
  }

  /** Writes the places of a mesh in 65536ths of a sample of the plane, kept inside of what can be read, and tells where. */
  #place({ width, height, pad, stride }: PaddedPlane, { places }: Mesh, share: number): number {
    const [right, bottom] = [stride - 1.01, height + 2 * pad - 1.01];
    if (this.#nodes.length < places.length) {
      const { buffer, byteOffset } = this.#allocate(places.length * Float64Array.BYTES_PER_ELEMENT);
      this.#nodes = new Float64Array(buffer, byteOffset, places.length);
    }
    for (let at = 0; at < places.length; at += 3) {
      const x = (places[at] as number) * width + pad - 0.5;
      const y = (places[at + 1] as number) * height + pad - 0.5;
      this.#nodes[at] = one * Math.min(Math.max(x, 0), right);
      this.#nodes[at + 1] = one * Math.min(Math.max(y, 0), bottom);
      this.#nodes[at + 2] = one * oneShare * share * (places[at + 2] as number);
    }
    return this.#nodes.byteOffset;
  }

  #allocate(bytes: number): Uint8Array {
    const free = this.#free.get(bytes)?.pop();
    if (free) return free;
    const at = this.#end;
    // Divisible by 16, which is what a vector and a number of 64 bits like.
    this.#end += Math.ceil((bytes + margin) / 16) * 16;
    const missing = Math.ceil((this.#end - this.#memory.buffer.byteLength) / pageBytes);
    if (missing > 0) allocating(() => this.#memory.grow(missing));
    return new Uint8Array(this.#memory.buffer, at, bytes);
  }
}

function allocating<Value>(action: () => Value): Value {
  try {
    return action();
  } catch (cause) {
    throw new EngineError('out_of_memory', 'There is not enough memory for the frames of this clip', { cause });
  }
}
