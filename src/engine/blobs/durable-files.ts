/** Files that are on the disk when a function returns, and only whole ones. */

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, open, rename } from 'node:fs/promises';

/** Length and hex SHA-256 of what was written or read. */
export interface Content {
  bytes: number;
  sha256: string;
}

const chunkBytes = 256 * 1024;
/** Not on Windows, where a symbolic link needs privileges to be made. */
const noFollow = constants.O_NOFOLLOW ?? 0;

/** Opens for reading; fails with ELOOP when the last part of the path is a symbolic link. */
export function openForReading(path: string) {
  return open(path, constants.O_RDONLY | noFollow);
}

/** Writes a new file to its end and onto the disk, private to this user. */
export async function writeDurably(path: string, source: AsyncIterable<Uint8Array>): Promise<Content> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of source) {
      bytes += chunk.length;
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Brings a file that was made elsewhere onto the disk, private to this user, and measures it. */
export async function secure(path: string): Promise<Content> {
  const file = await open(path, constants.O_RDWR | noFollow);
  try {
    await file.chmod(0o600);
    await file.sync();
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of file.createReadStream({ highWaterMark: chunkBytes, autoClose: false })) {
      bytes += chunk.length;
      hash.update(chunk);
    }
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** Makes what was created, renamed or removed in a folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  // Windows can't open a folder as a file; its file systems journal such changes themselves.
  if (process.platform === 'win32') return;
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A second name for a file that never changes; a copy where the file system has no hard link (more) to give. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!hasCode(error, 'EXDEV', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await syncFile(to);
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, constants.O_RDWR | noFollow);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Moves a file; true if it had to be copied from another device, and so still lies in its old place. */
export async function moveOrCopy(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return false;
  } catch (error) {
    if (!hasCode(error, 'EXDEV')) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
    return true;
  }
}

/** Whether a system call failed for one of these reasons. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes(String((error as NodeJS.ErrnoException).code));
}
