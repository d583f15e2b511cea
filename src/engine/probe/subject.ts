import { type ModelEntry, readLockfile } from '../../models/lockfile.js';
import { bundledFolder, lockfilePath, readVerified } from '../../models/files/weights.js';
import type { Subject } from './measure.js';
import { type ConvShape, convInput, convNetwork } from './network.js';

/** 0.7 GFLOP: about 10 ms on one core of 2020, so that even a slow core makes some runs in a fraction of a second. */
const small: ConvShape = { side: 128, channels: 32, layers: 4 };

/** 15 GFLOP: enough work for a GPU to be worth the way there and back. */
const large: ConvShape = { side: 256, channels: 64, layers: 5 };

/** Side of the tile that a bundled upscaler is measured with: 6 GFLOP for the first one. */
const tileSide = 96;

/** The network by which workers and threads are chosen: the upscaler that comes with the program, else a generated one. */
export async function layoutSubject(): Promise<Subject> {
  return (await bundledUpscaler()) ?? generated(small);
}

/** The network by which devices are compared: nothing but convolutions, which every provider must know. */
export function deviceSubject(): Subject {
  return generated(large);
}

function generated(shape: ConvShape): Subject {
  const dims = [1, 3, shape.side, shape.side];
  return { network: convNetwork(shape), feeds: { input: { type: 'float32', data: convInput(shape), dims } } };
}

async function bundledUpscaler(): Promise<Subject | null> {
  const entry = readLockfile(lockfilePath).models.find(isPictureUpscaler);
  const [file, input] = [entry?.files[0], entry?.inputs[0]];
  if (!entry || !file || !input?.name) return null;
  const network = await readVerified(entry, file, bundledFolder).catch(() => null);
  if (!network) return null;
  const dims = [1, tileSide, tileSide, 3];
  const data = Uint8Array.from({ length: tileSide * tileSide * 3 }, (_, index) => (index * 2_654_435_761) >>> 24);
  return { network: new Uint8Array(network), feeds: { [input.name]: { type: 'uint8', data, dims } } };
}

/** Takes a picture of any size as 8-bit samples. */
function isPictureUpscaler({ tier, task, inputs }: ModelEntry): boolean {
  const [input] = inputs;
  const isFree = (side: number | string | undefined) => typeof side === 'string';
  return tier === 'bundled' && task === 'super-resolution' && input?.type === 'uint8' && isFree(input.shape?.[1]);
}
