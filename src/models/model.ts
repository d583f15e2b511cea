import type { Pixels, Plane, Size } from '../engine/media/media.js';
import type { ModelEntry } from './lockfile.js';
import type { ModelSession } from './session.js';

/** What a model of the lock file can be for; not for each of them is there a family that loads it. */
export const modelTasks = [
  'background-removal',
  'super-resolution',
  'image-restoration',
  'inpainting',
  'colorization',
  'face-detection',
  'face-restoration',
  'depth-estimation',
  'speech',
  'image-generation',
] as const;
export type ModelTask = (typeof modelTasks)[number];

/** Kinds of pictures that models are made for: clean photographs, drawings, and pictures with noise or compression. */
export const pictureKinds = ['photograph', 'drawing', 'damaged'] as const;
export type PictureKind = (typeof pictureKinds)[number];

/** What a family makes of its weights, by task: a new task is one line here and one interface. */
export interface ModelOfTask {
  'background-removal': MattingModel;
  'super-resolution': UpscaleModel;
}

/** A task that some family can load models for. */
export type LoadableTask = keyof ModelOfTask;

/** Finds the foreground. */
export interface MattingModel {
  id: string;
  /** The size to which a picture of `source` is stretched for the network. */
  inputSize(source: Size): Size;
  /** Alpha matte 0..1 at the size of `pixels` (3 channels, of `inputSize`). */
  predict(pixels: Pixels): Promise<Plane>;
}

/** Enlarges by a fixed factor. */
export interface UpscaleModel {
  id: string;
  scale: number;
  /** Pixels of the input around a tile that change its result measurably: the tile overlap. */
  overlap: number;
  /** Whether its tones can drift away from those of the input: it was trained against a critic. */
  drifts?: boolean;
  /** A tile (3 channels, any size from 1×1) enlarged `scale` times. */
  upscale(tile: Pixels): Promise<Pixels>;
}

interface Family<Task extends LoadableTask> {
  /** As in `models.lock.json`. */
  name: string;
  task: Task;
  /** Pre- and post-processing around a session of this family's networks. */
  wrap(entry: ModelEntry, session: ModelSession): ModelOfTask[Task];
}

/** A family of weights with its exact pre- and post-processing: pure tensor code, one file each. */
export type ModelFamily = { [Task in LoadableTask]: Family<Task> }[LoadableTask];

/** A model of the lock file and whether it can be used now. */
export interface ModelStatus {
  id: string;
  task: ModelTask;
  family: string;
  tier: ModelEntry['tier'];
  licence: string;
  commercialUse: boolean;
  bytes: number;
  installed: boolean;
  /** Why it can't be used now; null if it can. */
  problem: string | null;
}
