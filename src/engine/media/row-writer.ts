import { appendFile, rm, writeFile } from 'node:fs/promises';
import { EngineError } from '../errors.js';
import type { PixelWriter } from '../operations/workbench.js';
import type { Size } from './media.js';
import { explainingResources } from './resources.js';
import { tiffHeader } from './tiff.js';

interface RowWriterOptions {
  size: Size & { channels: 3 | 4 };
  /** Where the rows wait until they are encoded; removed then. */
  path: string;
  encode(path: string, ...rest: Parameters<PixelWriter['encode']>): ReturnType<PixelWriter['encode']>;
}

/** A picture that grows row by row in a TIFF file. No file stays open between two writes, so an abandoned one costs nothing. */
export async function createRowWriter({ size, path, encode }: RowWriterOptions): Promise<PixelWriter> {
  const { width, height, channels } = size;
  let written = 0;
  await explainingResources(writeFile(path, tiffHeader(size)));
  return {
    width,
    height,
    channels,
    async write(rows) {
      const fits = rows.width === width && rows.channels === channels && written + rows.height <= height;
      if (!fits || rows.data.length !== rows.height * width * channels) {
        const expected = `rows of ${shape(size)}, ${height - written} left`;
        throw new EngineError('internal', `Expected ${expected}, got ${shape(rows)}, ${rows.data.length} bytes`);
      }
      await explainingResources(appendFile(path, rows.data));
      written += rows.height;
    },
    async encode(format) {
      if (written !== height) throw new EngineError('internal', `Expected ${height} rows, got ${written}`);
      const file = await encode(path, format);
      await rm(path);
      return file;
    },
  };
}

function shape({ width, height, channels }: Size & { channels: number }): string {
  return `${width} × ${height} × ${channels}`;
}
