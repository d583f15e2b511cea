import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.js';
import { decideDevice } from '../host/device.js';
import { toEngineError } from '../errors.js';
import { hostSettings } from '../host/host-settings.js';
import { findFfmpeg } from '../media/ffmpeg.js';
import { graphicsFacts, runtimeFacts } from '../probe/runtime.js';
import { type Finding, good, lack } from './finding.js';

/** Which device models run on, tried out now. */
export async function checkDevice(config: Config): Promise<Finding> {
  try {
    const { device, reason } = await decideDevice({ ...hostSettings(config), measurementsFile: null });
    const says = `models run on ${device}: ${reason}`;
    if (device !== 'cpu' || graphicsFacts().devices.length === 0) return good('device', says);
    return lack('device', 'fair', { says, next: remedyFor(runtimeFacts().libraries) });
  } catch (error) {
    const next = 'install what is missing, or set DARKROOM_DEVICE=auto and unset DARKROOM_REQUIRE_GPU';
    return lack('device', 'bad', { says: toEngineError(error).message, next });
  }
}

/** The libraries of the runtime that make networks run elsewhere than on the CPU. */
export function checkLibraries(libraries: readonly string[] = runtimeFacts().libraries): Finding {
  const { version } = runtimeFacts();
  const found = libraries
    .map((each) => /onnxruntime_providers_(\w+)/.exec(each)?.[1])
    .filter((name) => name !== undefined);
  const names = found.filter((name) => name !== 'shared');
  const says = `ONNX Runtime ${version} with ${names.length === 0 ? 'no further libraries for devices' : names.join(', ')}`;
  const needsCuda = graphicsFacts().devices.some((name) => name.startsWith('nvidia')) && !names.includes('cuda');
  return needsCuda
    ? lack('device libraries', 'fair', { says, next: remedyFor(libraries) })
    : good('device libraries', says);
}

function remedyFor(libraries: readonly string[]): string {
  return libraries.some((each) => each.includes('providers_cuda'))
    ? 'look at the driver: nvidia-smi must list the GPU, with CUDA 12 and cuDNN 9'
    : 'for an NVIDIA GPU: npm run gpu:cuda fetches the libraries of CUDA';
}

/** Whether clips can be made. */
export async function checkFfmpeg({ DARKROOM_FFMPEG: wanted }: Config): Promise<Finding> {
  try {
    const { path, version } = await findFfmpeg(wanted ?? null);
    return good('ffmpeg', `${version} at ${path}`);
  } catch (error) {
    const next = 'install ffmpeg (apt install ffmpeg) or set DARKROOM_FFMPEG; pictures need none';
    return lack('ffmpeg', 'fair', { says: toEngineError(error).message, next });
  }
}

const usualFontFolders = [
  '/usr/share/fonts',
  '/usr/local/share/fonts',
  '/System/Library/Fonts',
  'C:\\Windows\\Fonts',
  join(homedir(), '.fonts'),
  join(homedir(), '.local/share/fonts'),
];

/** Whether text can be drawn. */
export async function checkFonts(folders: readonly string[] = usualFontFolders): Promise<Finding> {
  const listings = await Promise.all(folders.map((folder) => readdir(folder, { recursive: true }).catch(() => [])));
  const fonts = listings.flat().filter((name) => /\.(ttf|otf|ttc|woff2?)$/i.test(name));
  if (fonts.length > 0) return good('fonts', `${fonts.length} installed`);
  const says = 'none is installed: text in pictures and clips would be empty boxes';
  return lack('fonts', 'fair', { says, next: 'install some, for example: apt install fonts-dejavu fonts-noto' });
}
