import { appendFile, rm, writeFile } from 'node:fs/promises';
import { EngineError } from '../errors.js';
import type { PixelWriter } from '../operations/workbench.js';
import { explainingResources } from './resources.js';
import { openSpool } from './spool.js';
import { type RowShape, tiffHeader } from './tiff.js';

interface RowWriterOptions {
  size: RowShape;
  /** Where the rows wait until they are encoded; removed then. */
  path: string;
  /** Leave the file when it has been encoded. */
  isKept?: boolean;
  encode(path: string, ...rest: Parameters<PixelWriter['encode']>): ReturnType<PixelWriter['encode']>;
}

/** A picture that grows row by row in a TIFF file. No file stays open between two writes, so an abandoned one costs nothing. */
export async function createRowWriter({ size, path, encode, isKept = false }: RowWriterOptions): Promise<PixelWriter> {
  const { width, height, channels } = size;
  const header = tiffHeader(size);
  let written = 0;
  await explainingResources(writeFile(path, header));
  const checkComplete = () => {
    if (written !== height) throw new EngineError('internal', `Expected ${height} rows, got ${written}`);
  };
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
    async encode(format, options) {
      checkComplete();
      const file = await encode(path, format, options);
      if (!isKept) await rm(path);
      return file;
    },
    async read() {
      checkComplete();
      if (channels === 1) throw new EngineError('internal', 'Expected rows in colour to be read again');
      return openSpool({ path, width, height, channels, offset: header.length }, 1);
    },
  };
}

function shape({ width, height, channels }: Pick<RowShape, 'width' | 'height' | 'channels'>): string {
  return `${width} × ${height} × ${channels}`;
}
