import type { DeviceSetting } from './config.js';
import type { ImageLimits } from './media/media.js';

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
  allowNoncommercial: boolean;
  limits: ImageLimits;
  /** JSON file in which the findings about device and layout are kept; null measures at every start. */
  measurementsFile: string | null;
  /** URL of a module that exports `findOperation`; null takes the operations of this program. */
  operationsModule: string | null;
  /** URL of a module that exports `loadModel` as `model-loader.ts` does; null takes that one. */
  loaderModule: string | null;
}
