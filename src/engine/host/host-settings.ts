import { join } from 'node:path';
import { megabyte } from '../byte-size.js';
import { type Config, type DeviceSetting, modelsFolder } from '../config.js';
import type { ImageLimits } from '../media/media.js';

/** Everything the host process is told, once, before its first task: it reads no environment and no file for settings. */
export interface HostSettings {
  device: DeviceSetting;
  /** Refuse to run models on the CPU. */
  requireGpu: boolean;
  /** Threads that run models; null measures. */
  workers: number | null;
  /** Threads of one model run; null measures. */
  threads: number | null;
  /** For loaded models, all workers together. */
  modelMemoryMb: number;
  /** Resident memory after a task above which the host is replaced by a fresh one; null derives it from `modelMemoryMb`. */
  maxRssMb: number | null;
  /** Folder of pulled models. */
  modelsFolder: string;
  /** Seconds after which a load is taken for stuck. */
  loadSeconds: number;
  limits: ImageLimits;
  /** The ffmpeg to be used; null takes the newest that is found. */
  ffmpeg: string | null;
  /** JSON file in which the findings about device and layout are kept; null measures at every start. */
  measurementsFile: string | null;
  /** URL of a module that exports `findOperation`; null takes the operations of this program. */
  operationsModule: string | null;
  /** URL of a module that exports `loadModel` as `model-loader.ts` does; null takes that one. */
  loaderModule: string | null;
}

/** What a host is told by these settings of the program. */
export function hostSettings(config: Config): HostSettings {
  return {
    device: config.DARKROOM_DEVICE,
    requireGpu: config.DARKROOM_REQUIRE_GPU,
    workers: config.DARKROOM_WORKERS ?? null,
    threads: config.DARKROOM_THREADS ?? null,
    modelMemoryMb: config.DARKROOM_MODEL_MEMORY_MB,
    maxRssMb: null,
    modelsFolder: modelsFolder(config),
    // Building an engine for a GPU takes minutes, nothing takes this long.
    loadSeconds: 20 * 60,
    limits: {
      maxBytes: config.DARKROOM_MAX_UPLOAD_MB * megabyte,
      maxPixels: config.DARKROOM_MAX_MEGAPIXELS * 1_000_000,
      maxSide: config.DARKROOM_MAX_SIDE,
    },
    ffmpeg: config.DARKROOM_FFMPEG ?? null,
    measurementsFile: join(config.DARKROOM_DATA, 'machine.json'),
    operationsModule: null,
    loaderModule: null,
  };
}
