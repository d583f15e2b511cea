import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { loadModel } from '#src/models/load.js';
import { type ModelEntry, readLockfile } from '#src/models/lockfile.js';
import type { UpscaleModel } from '#src/models/model.js';
import { partsOf } from '#src/models/files/parts.js';
import { createSession } from '#src/models/session.js';
import { srvgg } from '#src/models/srvgg.js';
import { lockfilePath } from '#src/models/files/weights.js';
import { sharedFiles } from './material.js';

/** Weights that may lie beside the repository, by the entry of the lock file that says how they are run. */
const open: Record<string, string> = {
  'realesr-general-x4v3': 'RealESRGAN_General_x4_v3.onnx',
  'realesr-general-wdn-x4v3': 'RealESRGAN_General_WDN_x4_v3.onnx',
  'realesr-animevideov3-x2': 'realesr-animevideov3-x2.onnx',
  'realesr-animevideov3-x4': 'realesr-animevideov3-x4.onnx',
};

/** Every bundled upscaler, and the open ones whose weights lie beside the repository, on the CPU with all threads. */
export async function openUpscalers(): Promise<UpscaleModel[]> {
  const ids = upscalers().map(({ id }) => id);
  return (await Promise.all(ids.map(openUpscaler))).filter((model) => model !== null);
}

/** The upscaler of this id; null if its weights are not here. */
export async function openUpscaler(id: string): Promise<UpscaleModel | null> {
  const entry = upscalers().find((candidate) => candidate.id === id);
  if (!entry) throw new Error(`No upscaler ${id}`);
  const threads = availableParallelism();
  if (entry.tier !== 'bundled') return fromShared(entry, threads);
  const { task, model } = await loadModel(entry, { folder: '', device: 'cpu', threads });
  return task === 'super-resolution' ? model : null;
}

function upscalers(): ModelEntry[] {
  return readLockfile(lockfilePath).models.filter(({ task }) => task === 'super-resolution');
}

async function fromShared(entry: ModelEntry, threads: number): Promise<UpscaleModel | null> {
  const path = sharedWeights(entry.id);
  if (path === null || srvgg.task !== 'super-resolution') return null;
  const session = await createSession(new Uint8Array(readFileSync(path)), { device: 'cpu', threads, model: entry });
  return srvgg.wrap(entry, session, partsOf(entry, []));
}

/** Where the weights of an open upscaler lie beside the repository; null if they do not. */
export function sharedWeights(id: string): string | null {
  return sharedFiles('weights/super-resolution', '.onnx').find((file) => basename(file) === open[id]) ?? null;
}
