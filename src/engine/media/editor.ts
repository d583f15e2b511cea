import { copyFile, type FileHandle, open, rm } from 'node:fs/promises';
import { EngineError } from '../errors.js';
import type { OutputFile } from '../operations/operation.js';
import type { PixelEditor, PixelReader } from '../operations/workbench.js';
import { explainingResources } from './resources.js';
import { createRowWriter } from './row-writer.js';
import { openSpool, type Spool } from './spool.js';
import { tiffAround, tiffHeader } from './tiff.js';

// Few enough to stay in the cache of a core, enough to keep the disk out of it.
const rowsAtATime = 128;

/**
 * A picture whose rows can be changed where they lie, in a spool that is a TIFF (see `uprightTiff`) and is the editor's
 * from now on; it is removed on closing, unless it is the result itself.
 */
export async function openEditor(spool: Spool, encode: PixelEditor['encode']): Promise<PixelEditor> {
  const reader = await openSpool(spool, 1, { isKept: true });
  const handle = await open(spool.path, 'r+');
  let result: OutputFile | null = null;
  return {
    ...reader,
    async writeRows(top, { data, width, height, channels }) {
      const fits = width === spool.width && channels === spool.channels && top >= 0 && top + height <= spool.height;
      if (!fits || data.length !== width * height * channels) {
        const message = `Expected rows of ${spool.width} × ${spool.channels} inside 0..${spool.height}, got ${height} of ${width} × ${channels} at ${top}`;
        throw new EngineError('internal', message);
      }
      await explainingResources(writeFully(handle, data, spool.offset + top * width * channels));
    },
    async encode(format, options) {
      result = await encode(format, options);
      return result;
    },
    async close() {
      await handle.close();
      await reader.close();
      if (result?.path !== spool.path) await rm(spool.path, { force: true });
    },
  };
}

/**
 * A spool as a TIFF that shows the picture upright. What is upright is made one where it lies, by what stands before and
 * after its rows; what is not is written anew to `path`.
 */
export async function uprightTiff(spool: Spool, orientation: number, path: string): Promise<Spool> {
  if (orientation >= 2 && orientation <= 8) return rewritten(await openSpool(spool, orientation), path);
  await explainingResources(wrap(spool));
  return spool;
}

/** A copy of a spool that is a TIFF. */
export async function copiedTiff(spool: Spool, path: string): Promise<Spool> {
  await explainingResources(copyFile(spool.path, path));
  return { ...spool, path };
}

async function wrap(spool: Spool): Promise<void> {
  const handle = await open(spool.path, 'r+');
  try {
    const end = (await handle.stat()).size;
    const { head, directory, at } = tiffAround(spool, { pixelsAt: spool.offset, end });
    await writeFully(handle, directory, at);
    await writeFully(handle, head, 0);
  } finally {
    await handle.close();
  }
}

async function rewritten(reader: PixelReader, path: string): Promise<Spool> {
  const { width, height, channels } = reader;
  const size = { width, height, channels };
  try {
    const writer = await createRowWriter({ size, path, encode: () => Promise.reject(new Error('Rows are kept')) });
    for (let top = 0; top < height; top += rowsAtATime) {
      await writer.write(await reader.readRows(top, Math.min(rowsAtATime, height - top)));
    }
    return { path, ...size, offset: tiffHeader(size).length };
  } finally {
    await reader.close();
  }
}

/** One write may stop short, as it does on a disk that is nearly full. */
async function writeFully(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    done += (await handle.write(data, done, data.length - done, position + done)).bytesWritten;
  }
}
