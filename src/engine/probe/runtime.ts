import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Version and libraries of the installed ONNX Runtime, found without loading it: what was measured holds for these. */
export function runtimeFacts(): { version: string; libraries: string[] } {
  const manifest = fileURLToPath(import.meta.resolve('onnxruntime-node/package.json'));
  const folder = join(dirname(manifest), 'bin', 'napi-v6', process.platform, process.arch);
  const libraries = list(folder).map((name) => `${name} ${statSync(join(folder, name)).size}`);
  return { version: JSON.parse(readFileSync(manifest, 'utf8')).version, libraries };
}

/** Graphics devices that this machine shows, and their driver; elsewhere than on Linux nothing can be told from files. */
export function graphicsFacts(root = '/'): { devices: string[]; driver: string } {
  const nodes = list(join(root, 'dev')).filter((name) => /^(nvidia(\d+|ctl)|dxg|kfd)$/.test(name));
  const render = list(join(root, 'dev/dri')).filter((name) => name.startsWith('renderD'));
  const driver = read(join(root, 'proc/driver/nvidia/version')).split('\n', 1)[0] ?? '';
  return { devices: [...nodes, ...render.map((name) => `dri/${name}`)], driver };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
