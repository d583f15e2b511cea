import { mkdir, rm, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { freeBytesOfDisk } from '../blobs/disk-space.js';
import { describeBytes, megabyte } from '../byte-size.js';
import { type Config, unknownSettings } from '../config.js';
import { availableCores } from '../host/cores.js';
import { type Finding, good, lack } from './finding.js';

const oldestNode = [20, 19] as const;

/** The version of Node. */
export function checkNode(version: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  if (isNew) return good('node', `Node ${version}`);
  return lack('node', 'bad', {
    says: `Node ${version} is too old`,
    next: `install Node ${oldestNode.join('.')} or newer`,
  });
}

/** Settings that look like ours and are none. */
export function checkSettings(unknown: readonly string[] = unknownSettings()): Finding {
  if (unknown.length === 0) return good('settings', 'every DARKROOM_ variable is known');
  const says = `there is no setting ${unknown.join(', ')}`;
  return lack('settings', 'fair', { says, next: 'look for a misspelling in the environment and in .env' });
}

/** Whether files can be made in the data folder. */
export async function checkDataFolder({ DARKROOM_DATA: folder }: Config): Promise<Finding> {
  const trial = join(folder, `.doctor-${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(trial, 'x', { flag: 'wx' });
    await rm(trial);
    return good('data folder', `${folder} can be written`);
  } catch (error) {
    const says = `${folder} can't be written: ${(error as Error).message}`;
    return lack('data folder', 'bad', {
      says,
      next: 'give its owner the right to write, or set DARKROOM_DATA to another folder',
    });
  }
}

/** Whether uploads would be taken, and whether a large model has room. */
export async function checkDisk(
  { DARKROOM_DATA: folder, DARKROOM_MIN_FREE_MB: minFreeMb }: Config,
  freeBytes: (folder: string) => Promise<number> = freeBytesOfDisk,
): Promise<Finding> {
  const free = await freeBytes(folder).catch(() => null);
  if (free === null)
    return lack('disk', 'bad', { says: `the disk of ${folder} can't be asked`, next: 'make the data folder first' });
  const says = `${describeBytes(free)} free in ${folder}`;
  if (free < minFreeMb * megabyte) {
    return lack('disk', 'bad', {
      says,
      next: `free some: below ${minFreeMb} MB (DARKROOM_MIN_FREE_MB) uploads are refused`,
    });
  }
  if (free >= roomForModels) return good('disk', says);
  return lack('disk', 'fair', {
    says,
    next: `free some: the largest open models take ${describeBytes(roomForModels)}`,
  });
}

const roomForModels = 3_000_000_000;

/** Whether the memory that models may take is there, the limit of a container considered. */
export function checkMemory(
  { DARKROOM_MODEL_MEMORY_MB: modelMb }: Config,
  bytes: number = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
): Finding {
  const says = `${describeBytes(bytes)} of memory on ${availableCores()} cores, ${modelMb} MB of it for loaded models`;
  // The rest of the program, pictures in work and the system need about as much again.
  if (bytes >= 2 * modelMb * megabyte) return good('memory', says);
  const next = `set DARKROOM_MODEL_MEMORY_MB to ${Math.max(64, Math.floor(bytes / megabyte / 2))} or less, or give the machine more`;
  return lack('memory', 'fair', { says, next });
}
