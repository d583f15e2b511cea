import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

/** Material beside the repository that a user does not have. */
const sharedFolder = resolve('../shared');

/** A photograph that is in the repository. */
export const photo: string = resolve('test/fixtures/photo.jpg');

/** Paths of the files in a folder of the shared material, by name; empty when it is not there. */
export function sharedFiles(folder: string, ending = ''): string[] {
  try {
    const names = readdirSync(join(sharedFolder, folder)).filter((name) => name.endsWith(ending));
    return names.sort().map((name) => join(sharedFolder, folder, name));
  } catch {
    return [];
  }
}

/** Which of these folders of the shared material is missing, in words; null if none is. */
export function missing(...folders: string[]): string | null {
  const absent = folders.filter((folder) => sharedFiles(folder).length === 0);
  return absent.length === 0 ? null : `needs ${absent.map((folder) => `../shared/${folder}`).join(' and ')}`;
}

/** Whether no training has seen this file: the rule of `held_out` in scripts/train/cutout/common.py. */
export function isHeldOut(path: string, share: number): boolean {
  const digest = createHash('md5').update(basename(path)).digest('hex');
  return Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32 < share;
}
