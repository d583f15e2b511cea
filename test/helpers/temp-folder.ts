import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** A folder of this test's own, removed when the test ends. */
export async function tempFolder(): Promise<string> {
  const folder = await make();
  onTestFinished(() => remove(folder));
  return folder;
}

/** A folder for all tests of a file, to be made in `beforeAll`; removed after the last of them. */
export async function tempFolderOfFile(): Promise<string> {
  const folder = await make();
  madeHere.push(folder);
  return folder;
}

const madeHere: string[] = [];
afterAll(() => Promise.all(madeHere.splice(0).map(remove)).then(() => {}));

function make(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'darkroom-test-'));
}

function remove(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}
