import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { OutputFile } from '../operations/operation.js';

/**
 * One zip at `path` of several files, each under the name given to it; the files themselves are removed. They are stored
 * as they are: pictures are compressed already. Its size is that of the first picture.
 */
export async function packFiles(
  files: readonly { name: string; file: OutputFile }[],
  path: string,
): Promise<OutputFile> {
  const zip = new ZipFile();
  // Without the time of day the same pictures make the same archive.
  for (const { name, file } of files) zip.addFile(file.path, name, { compress: false, mtime: new Date(1980, 0, 1) });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  for (const { file } of files) await rm(file.path);
  const [first] = files;
  const size = first?.file.width && first.file.height ? { width: first.file.width, height: first.file.height } : {};
  return { path, format: 'zip', contentType: 'application/zip', ...size };
}
