import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import type { ModelEntry } from '../../models/lockfile.js';
import { hasCode, syncFolder, writeDurably } from '../blobs/durable-files.js';
import { EngineError } from '../errors.js';
import { receiptName } from './catalogue.js';

/** Where models are gathered: nothing in here is ever looked at by who runs them. */
export const incomingName = '.incoming';

/**
 * Gathers a model in a folder of its own, then gives it its place by one rename: it is there whole or not at all, however
 * many files it has. What a failed try leaves behind stays for the next one. `gather` returns the entry as it is to be
 * remembered. Errors: `busy` while another process gathers the same model, and those of `gather`.
 */
export async function stageModel(
  folder: string,
  id: string,
  gather: (stage: string) => Promise<ModelEntry>,
): Promise<ModelEntry> {
  const incoming = join(folder, incomingName);
  await mkdir(incoming, { recursive: true });
  const unlock = await lock(incoming, id);
  try {
    const stage = join(incoming, id);
    await mkdir(stage, { recursive: true });
    const entry = await gather(stage);
    await keepOnly(stage, entry);
    await rm(join(stage, receiptName), { force: true });
    await writeDurably(join(stage, receiptName), Readable.from([Buffer.from(`${JSON.stringify(entry, null, 2)}\n`)]));
    // Who pulls and who serves may be two users.
    for (const name of await readdir(stage)) await chmod(join(stage, name), 0o644);
    await syncFolder(stage);
    await takePlace(folder, id);
    return entry;
  } finally {
    await unlock();
  }
}

/** Takes a model out of its place, then deletes it. Returns whether there was one. Errors: as `stageModel`. */
export async function discardModel(folder: string, id: string): Promise<boolean> {
  const incoming = join(folder, incomingName);
  await mkdir(incoming, { recursive: true });
  const unlock = await lock(incoming, id);
  try {
    const wasThere = await setAside(folder, id);
    await Promise.all([oldName(id), id].map((name) => rm(join(incoming, name), { recursive: true, force: true })));
    return wasThere;
  } finally {
    await unlock();
  }
}

/** Lends a folder beside those of gathered models, on the same disk, and removes it with what is still in it. */
export async function lendFolder<T>(folder: string, work: (lent: string) => Promise<T>): Promise<T> {
  const incoming = join(folder, incomingName);
  await mkdir(incoming, { recursive: true });
  const lent = await mkdtemp(join(incoming, 'lent-'));
  const unlock = await lock(incoming, basename(lent));
  try {
    return await work(lent);
  } finally {
    await rm(lent, { recursive: true, force: true });
    await unlock();
  }
}

/** Paths of what was gathered and never got a place, and that no living process works on. */
export async function abandoned(folder: string): Promise<string[]> {
  const incoming = join(folder, incomingName);
  const names = await readdir(incoming).catch((error) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  const idle: string[] = [];
  for (const name of names) {
    const id = name.replace(/\.(old|lock)$/, '');
    if (!(await isHeld(lockPath(incoming, id)))) idle.push(join(incoming, name));
  }
  return idle;
}

const oldName = (id: string) => `${id}.old`;
const lockPath = (incoming: string, id: string) => join(incoming, `${id}.lock`);

async function takePlace(folder: string, id: string): Promise<void> {
  const incoming = join(folder, incomingName);
  await rm(join(incoming, oldName(id)), { recursive: true, force: true });
  await setAside(folder, id);
  await rename(join(incoming, id), join(folder, id));
  await syncFolder(folder);
  await rm(join(incoming, oldName(id)), { recursive: true, force: true });
}

async function setAside(folder: string, id: string): Promise<boolean> {
  try {
    await rename(join(folder, id), join(folder, incomingName, oldName(id)));
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Removes what an earlier try left and this one has no use for. */
async function keepOnly(stage: string, { files }: ModelEntry): Promise<void> {
  const wanted = files.map(({ name }) => name);
  const strays = (await readdir(stage)).filter((name) => !wanted.includes(name));
  await Promise.all(strays.map((name) => rm(join(stage, name), { recursive: true, force: true })));
}

/** A lock that dies with its process: the file holds its pid. */
async function lock(incoming: string, id: string): Promise<() => Promise<void>> {
  const path = lockPath(incoming, id);
  if (!(await claim(path))) {
    if (await isHeld(path)) throw inUse(id);
    await rm(path, { force: true });
    if (!(await claim(path))) throw inUse(id);
  }
  return () => rm(path, { force: true });
}

async function claim(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function inUse(id: string): EngineError {
  return new EngineError('busy', `Model "${id}" is being installed or removed by another process; wait for it`);
}

async function isHeld(path: string): Promise<boolean> {
  const pid = Number(await readFile(path, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // The process of another user is alive all the same.
    return hasCode(error, 'EPERM');
  }
}
