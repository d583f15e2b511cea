import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../blobs/durable-files.js';
import { type Catalogue, receiptName } from './catalogue.js';
import { abandoned, incomingName } from './staging.js';

/** Something in the folder of models that no model needs. */
export interface Rubbish {
  path: string;
  reason: string;
  bytes: number;
}

/** What nobody needs in this folder: downloads that never came to their end, and files that no entry names. */
export async function findRubbish({ lock, broken }: Catalogue, folder: string): Promise<Rubbish[]> {
  const found: Rubbish[] = [];
  for (const path of await abandoned(folder)) {
    found.push({ path, reason: 'a download that did not come to its end', bytes: await sizeOf(path) });
  }
  for (const id of await names(folder)) {
    const entry = lock.models.find((each) => each.id === id && each.tier !== 'bundled');
    const wanted = [receiptName, ...(entry?.files.map(({ name }) => name) ?? [])];
    if (id === incomingName || broken.some((each) => each.id === id)) continue;
    const strays = entry ? (await names(join(folder, id))).filter((name) => !wanted.includes(name)) : [''];
    for (const name of strays) {
      const path = join(folder, id, name);
      found.push({ path, reason: entry ? `not a file of ${id}` : 'no model is called so', bytes: await sizeOf(path) });
    }
  }
  return found;
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  if (!found?.isDirectory()) return found?.size ?? 0;
  let bytes = 0;
  for (const name of await names(path)) bytes += await sizeOf(join(path, name));
  return bytes;
}
