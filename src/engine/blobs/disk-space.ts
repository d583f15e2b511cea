import { statfs } from 'node:fs/promises';
import { describeBytes } from '../byte-size.js';
import { EngineError } from '../errors.js';
import { hasCode } from './durable-files.js';

/** Fails with `storage_full` when fewer than `minFreeBytes` are free. */
export async function checkFreeSpace(minFreeBytes: number, freeBytes: () => Promise<number>): Promise<void> {
  const free = await freeBytes();
  if (free >= minFreeBytes) return;
  throw new EngineError(
    'storage_full',
    `The disk has ${describeBytes(free)} left, less than the ${describeBytes(minFreeBytes)} that are to stay free`,
  );
}

/** Bytes that this user may still write to the disk that holds the folder. */
export async function freeBytesOfDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** `storage_full` for a system call that found no room on the disk or in the quota; any other error as it is. */
export function asStorageError(error: unknown): unknown {
  if (!hasCode(error, 'ENOSPC', 'EDQUOT')) return error;
  return new EngineError('storage_full', 'The disk is full', { cause: error });
}
