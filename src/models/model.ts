import type { z } from 'zod';
import type { Pixels, Plane, Size } from '../engine/media/media.js';
import type { FamilyTensors } from './family-tensors.js';
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

/** Kinds of pictures that models are made for: clean photographs, those of people, drawings, and pictures with noise or compression. */
export const pictureKinds = ['photograph', 'person', 'drawing', 'damaged'] as const;
export type PictureKind = (typeof pictureKinds)[number];

/** What a family makes of its weights, by task: a new task is one line here and one interface. */
export interface ModelOfTask {
  'background-removal': MattingModel;
  'super-resolution': UpscaleModel;
  inpainting: InpaintModel;
  'image-restoration': RestoreModel;
  'depth-estimation': DepthModel;
  speech: SpeechModel;
  'image-generation': GenerationModel;
  'face-detection': FaceModel;
  'face-restoration': FaceRestoreModel;
  colorization: ColourModel;
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
  /** Whether a second look at where the subject is (`lookTwice`) improves its mattes and costs little. */
  gainsByLookingTwice?: boolean;
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

/** Fills holes. */
export interface InpaintModel {
  id: string;
  /** Longest side of a crop that it fills in one run; larger ones come in parts, with a sketch of the whole. */
  size: number;
  /** Whether a run costs the same for every crop: then it is shown as much around a hole as `size` has room for. */
  hasFixedSize?: boolean;
  /** Whether its fills come with texture, those of a sketch excepted; what others fill is given one from around it. */
  paintsTexture?: boolean;
  /**
   * The crop (3 channels, no side above `size`) with what `mask` marks (1 channel of the same size, 255 = fill, 0 = keep) filled so
   * that shapes and colours go on; known pixels come back as they were.
   */
  fill(crop: Pixels, mask: Pixels, sketch?: Sketch): Promise<Pixels>;
}

/** What a larger, coarser view of the same place was filled with. */
export interface Sketch {
  /** The same part of the picture as the crop: 3 channels, `factor` times smaller, rounded up. */
  pixels: Pixels;
  /** A power of two. */
  factor: number;
}

/** What can be wrong with a picture. */
export const damages = ['noise', 'jpeg', 'blur'] as const;

/** What is wrong with a picture, and by how much; 0 is nothing. */
export interface Damage extends Record<(typeof damages)[number], number> {
  /** Standard deviation of noise in each colour, in levels of 255. */
  noise: number;
  /** Compression, 0..1: (100 - quality) / 100 of JPEG. */
  jpeg: number;
  /** Standard deviation of a Gaussian blur, in pixels. */
  blur: number;
}

/** Repairs a picture at its own size. */
export interface RestoreModel {
  id: string;
  /** Pixels around a tile that change its result measurably: the tile overlap. */
  overlap: number;
  /** What it can repair; other damage is ignored. */
  mends: readonly (keyof Damage)[];
  /** Whether the noisy picture, filtered with its result as a pilot (`CollaborativeFilter`), comes nearer to the truth. */
  gainsByFilter?: boolean;
  /** Whether it sees for itself how much is wrong: of the damage it is told, it heeds only whether there is any. */
  isBlind?: boolean;
  /** A tile (3 channels, any size from 1×1) without the damage that it is told of. */
  restore(tile: Pixels, damage: Damage): Promise<Pixels>;
}

/** The files of a model beside its network, by the `part` that its entry calls them. Errors: `model_unavailable` if it lists none. */
export interface ModelParts {
  /** A further network (a file that ends in `.onnx`). */
  session(part: string): ModelSession;
  /** Any other file: voices, a vocabulary. */
  bytes(part: string): Uint8Array;
}

/** Tells near from far. */
export interface DepthModel {
  id: string;
  /** The size to which a picture of `source` is stretched for the network. */
  inputSize(source: Size): Size;
  /** Nearness 0 (the farthest place) .. 1 (the nearest) at the size of `pixels` (3 channels, of `inputSize`). */
  predict(pixels: Pixels): Promise<Plane>;
}

/** A place in a picture, in pixels from its left and top edge: the middle of the first pixel is at 0.5. */
export interface Point {
  x: number;
  y: number;
}

/** Where a face is, in pixels; it may reach beyond the picture. */
export interface Face {
  left: number;
  top: number;
  width: number;
  height: number;
  /** How sure it is, 0..1. */
  score: number;
  /** The eye to the left in the picture, the one to the right, the tip of the nose, the corners of the mouth likewise. */
  landmarks: readonly [Point, Point, Point, Point, Point];
}

/** Finds faces. */
export interface FaceModel {
  id: string;
  /** The largest picture that it takes in one run. */
  size: Size;
  /** The faces in `pixels` (3 channels, 1×1 to `size`), the surest first, each once; in pixels of it. */
  detect(pixels: Pixels): Promise<Face[]>;
}

/** Makes damaged faces good. */
export interface FaceRestoreModel {
  id: string;
  /** Side of the picture that it takes and gives. */
  size: number;
  /** A face aligned as in FFHQ (3 channels, `size` × `size`) as it may have been before the damage. */
  restore(face: Pixels): Promise<Pixels>;
}

/** The colours of a picture beside its lightness: a and b of CIE Lab, D65. */
export interface Chroma {
  a: Plane;
  b: Plane;
}

/** Gives a grey picture colours. */
export interface ColourModel {
  id: string;
  /** The size to which a picture is stretched for the network. */
  size: Size;
  /** Colours for the lightness of `pixels` (3 channels, of `size`), whatever colours they have. */
  predict(pixels: Pixels): Promise<Chroma>;
}

/** How something is spoken. */
export interface SpeechOptions {
  /** One of the model's voices; default: its first. */
  voice?: string | undefined;
  /** 0.25 to 4, default 1; larger is faster. */
  speed?: number | undefined;
}

/** Speaks phonemes; what makes phonemes of text is no part of it. */
export interface SpeechModel {
  id: string;
  /** Samples of its PCM per second. */
  sampleRate: number;
  /** The names of its voices, the usual one first. */
  voices: readonly string[];
  /** Every phoneme, stress and sign that it knows, one character each. */
  phonemes: ReadonlySet<string>;
  /** So many of them that it takes at once. */
  longest: number;
  /**
   * What is said as mono PCM of about -1..1; characters that are none of its phonemes are left out.
   * Errors: `invalid_input` for a voice or speed that it has not, for too many phonemes and for none.
   */
  speak(phonemes: string, options?: SpeechOptions): Promise<Float32Array>;
}

/** How a picture is made. */
export interface GenerationOptions {
  /** The same words and seed make the same picture on the same device. */
  seed: number;
  /** Both sides multiples of the model's; default: its own size. */
  size?: Size | undefined;
  /** A picture (3 channels, instead of `size`) to go on from; of which less is kept the larger `strength` is, above 0, up to 1. */
  from?: { picture: Pixels; strength: number } | undefined;
  /** Called between its steps with the share that is done; throws to stop. */
  checkpoint?: ((fraction: number) => void) | undefined;
}

/** Makes pictures of words. */
export interface GenerationModel {
  id: string;
  /** Both sides of the pictures that it makes best. */
  size: number;
  /** Of which all sides are multiples. */
  multiple: number;
  /** A picture (3 channels) of an English text. Errors: `invalid_input` for a size that it can't make. */
  generate(prompt: string, options: GenerationOptions): Promise<Pixels>;
}

interface Family<Task extends LoadableTask> extends FamilyTensors {
  /** As in `models.lock.json`. */
  name: string;
  task: Task;
  /** What `constants` of an entry must be, so that an entry is refused before its weights are fetched. */
  constants: z.ZodType;
  /** Pre- and post-processing around a session of this family's networks; every tensor of `entry` has its name. */
  wrap(entry: ModelEntry, session: ModelSession, parts: ModelParts): ModelOfTask[Task];
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
  /** Where it can be read; null where no address is known. */
  licenceUrl: string | null;
  /** Null: not known. */
  commercialUse: boolean | null;
  /** Of all its files; null where that is not known before the first pull. */
  bytes: number | null;
  /** How it gets here; never, where no family runs it. */
  comes: 'bundled' | 'pull' | 'import' | 'never';
  installed: boolean;
  /** Why it can't be used now; null if it can. */
  problem: string | null;
}
