import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Material beside the repository that a user does not have; a test that needs it says so and is skipped without it. */
export const sharedFolder: string = fileURLToPath(new URL('../../../shared/', import.meta.url));

/** Full paths of the files in a folder of the shared material that end so, sorted; empty when it is not there. */
export function sharedFiles(folder: string, ending: string): string[] {
  try {
    const names = readdirSync(join(sharedFolder, folder)).filter((name) => name.endsWith(ending));
    return names.sort().map((name) => join(sharedFolder, folder, name));
  } catch {
    return [];
  }
}
