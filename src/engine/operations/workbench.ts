import type { LoadableTask, ModelOfTask } from '../../models/model.js';
import type { ImageFacts, OutputFormat, Pixels, Size } from '../media/media.js';
import type { OutputFile } from './operation.js';

/** Named parts of an attempt, for progress and stage times. */
export type Stage = 'decode' | 'load' | 'infer' | 'compose' | 'encode';

/** A decoded picture on disk, read by rows: memory does not grow with the height of the picture. */
export interface PixelReader extends Size {
  channels: 3 | 4;
  /** Rows `top` .. `top + rows - 1`, all inside the picture. */
  readRows(top: number, rows: number): Promise<Pixels>;
  close(): Promise<void>;
}

/** A picture written by rows from top to bottom. */
export interface PixelWriter extends Size {
  channels: 3 | 4;
  /** The next rows; `rows.width` and `rows.channels` are those of the picture. */
  write(rows: Pixels): Promise<void>;
  /** Encodes what was written; call after the last row. */
  encode(format: OutputFormat): Promise<OutputFile>;
}

/** Decoding and encoding of pictures: sRGB, 8 bit, EXIF orientation applied. */
export interface ImageKit {
  /** Header facts, after every limit was checked. Errors: `invalid_input`, `too_large`, `unsupported`. */
  facts(path: string, param: string): Promise<ImageFacts>;
  /** The picture at its own size, or resized to exactly `size`; alpha is kept unless `channels` is 3 (flattened on white). */
  decode(path: string, options?: { size?: Size; channels?: 3 | 4 }): Promise<Pixels>;
  /** Decodes once to a temporary file that is read by rows. */
  open(path: string): Promise<PixelReader>;
  encode(pixels: Pixels, format: OutputFormat): Promise<OutputFile>;
  /** A picture of `size` to be written by rows. With `format`, `too_large` comes now and not after the work. */
  create(size: Size & { channels: 3 | 4; format?: OutputFormat }): Promise<PixelWriter>;
}

/** The model of a slot whose weights are mixed with those of its twin. */
export interface Mixture {
  slot: string;
  /** Of the slot's own weights, 0..1; the rest is its twin's, which must have been found (`has(twinOf(slot))`). */
  share: number;
}

/** The slot of the twin of a slot's model. */
export function twinOf(slot: string): string {
  return `${slot}.twin`;
}

/** What `perform` works with: everything that touches a native library, and the way back for progress and cancellation. */
export interface Workbench {
  /** Local path of the first picture that was sent in this field. Errors: `invalid_input` if there is none. */
  input(field: string): string;
  /** Local paths of all pictures that were sent in this field, in their order. */
  inputs(field: string): readonly string[];
  /** Folder for files of this attempt that the kits do not make; it is removed afterwards with all that is no output. */
  folder: string;
  images: ImageKit;
  /** Whether a model was found for this slot: an optional one may not be installed. */
  has(slot: string): boolean;
  /** Loads (or finds in the session cache) the model that was chosen for this attempt; `slot` is its task unless said otherwise. */
  model<Task extends LoadableTask>(task: Task, slot?: string | Mixture): Promise<ModelOfTask[Task]>;
  /** The same model on the CPU, which computes in 32 bits; null if that is where it runs already. */
  onCpu<Task extends LoadableTask>(task: Task, slot?: string | Mixture): Promise<ModelOfTask[Task] | null>;
  /**
   * Says where the attempt is (`fraction` of this stage, 0..1). Call between tiles and steps: throws `cancelled` or
   * `timeout` when the attempt is to stop. Only what is in `infer` may run a model: entering it waits for its turn.
   */
  checkpoint(stage: Stage, fraction?: number): void;
}
