import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, relative, resolve, sep } from 'node:path';

/** One file of a batch and where its result goes. */
export interface BatchItem {
  source: string;
  target: string;
  /** Where the result goes instead when it is doubtful. */
  aside?: string;
}

/** Names that are worth opening; what a file really is shows its content. */
const pictureNames = new Set(['.jpg', '.jpeg', '.png', '.webp', '.avif', '.tif', '.tiff', '.gif']);

/** Whether a file of this name is worth opening. */
export function isPictureName(path: string): boolean {
  return pictureNames.has(extname(path).toLowerCase());
}

/**
 * The pictures of a folder and its sub-folders with their targets in `output`, in a stable order; hidden files, other
 * files and `output` itself are left out. Two pictures that differ only in their extension keep it in the target's name.
 */
export async function planFolder(input: string, output: string, extension: string): Promise<BatchItem[]> {
  const sources = await listPictures(resolve(input), resolve(output));
  const stems = new Map<string, number>();
  for (const source of sources) stems.set(stem(source), (stems.get(stem(source)) ?? 0) + 1);
  return sources.map((source) => {
    const name = stems.get(stem(source)) === 1 ? stem(source) : source;
    return { source, target: join(output, `${relative(resolve(input), name)}.${extension}`) };
  });
}

/** Whether the result is there and not older than its source: then a batch that is started again passes it over. */
export async function isDone({ source, target, aside }: BatchItem): Promise<boolean> {
  const places = aside === undefined ? [target] : [target, aside];
  const [from, ...made] = await Promise.all([source, ...places].map((path) => stat(path).catch(() => null)));
  return from != null && made.some((to) => to?.isFile() === true && to.mtimeMs >= from.mtimeMs);
}

async function listPictures(folder: string, excluded: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || isInside(path, excluded)) continue;
    if (entry.isDirectory()) found.push(...(await listPictures(path, excluded)));
    else if (entry.isFile() && isPictureName(entry.name)) found.push(path);
  }
  return found;
}

/** Results beside their sources must not become sources; the input folder itself may be the output. */
function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}

function stem(path: string): string {
  return path.slice(0, path.length - extname(basename(path)).length);
}
