import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from './errors.js';

/** Makes the folders that the engine works in. Errors: `unsupported` when one can't be made or written. */
export async function prepareFolders(root: string): Promise<{ root: string; blobs: string; work: string }> {
  const folders = { root, blobs: join(root, 'blobs'), work: join(root, 'work') };
  try {
    for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new EngineError(
      'unsupported',
      `DARKROOM_DATA: ${root} cannot be made or written: ${(error as Error).message}`,
      { cause: error },
    );
  }
  return folders;
}

/** The folder, with nothing in it. */
export async function emptyFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
}
