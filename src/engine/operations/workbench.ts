import type { LoadableTask, ModelOfTask } from '../../models/model.js';
import type { Frame, ImageFacts, OutputFormat, Pixels, Size } from '../media/media.js';
import type { Outcome, OutputFile } from './operation.js';

/** Named parts of an attempt, for progress and stage times. */
export type Stage = 'decode' | 'load' | 'infer' | 'render' | 'compose' | 'encode';

/** A decoded picture on disk, read by rows: memory does not grow with the height of the picture. */
export interface PixelReader extends Size {
  channels: 3 | 4;
  /** Rows `top` .. `top + rows - 1`, all inside the picture. */
  readRows(top: number, rows: number): Promise<Pixels>;
  close(): Promise<void>;
}

/** How a picture is written. */
export interface EncodeOptions {
  /** Of webp and jpg, 1..100; default: 90 and 92. */
  quality?: number | undefined;
  /** Pixels per inch, for whoever prints it; default: not said. */
  dpi?: number | undefined;
  /** An EXIF block to put into the file, as `exif` gives it. */
  exif?: Uint8Array | undefined;
}

/** A picture written by rows from top to bottom. */
export interface PixelWriter extends Size {
  channels: 1 | 3 | 4;
  /** The next rows; `rows.width` and `rows.channels` are those of the picture. */
  write(rows: Pixels): Promise<void>;
  /** Encodes what was written; call after the last row. */
  encode(format: OutputFormat, options?: EncodeOptions): Promise<OutputFile>;
  /** Gives what was written back by rows, in colour; call after the last row, instead of `encode`. */
  read(): Promise<PixelReader>;
}

/** A decoded picture on disk whose rows can be changed before it is encoded. */
export interface PixelEditor extends PixelReader {
  /** Replaces these rows and those below; `rows.width` and `rows.channels` are those of the picture. */
  writeRows(top: number, rows: Pixels): Promise<void>;
  /** Encodes the picture as it is now. Call `close` all the same. */
  encode(format: OutputFormat, options?: EncodeOptions): Promise<OutputFile>;
}

/** What the numbers of a picture mean: sRGB unless said otherwise, what its `own` profile says, or what this ICC profile says. */
export type ColourProfile = 'own' | Uint8Array;

/** Decoding and encoding of pictures: sRGB, 8 bit, EXIF orientation applied. */
export interface ImageKit {
  /** Header facts, after every limit was checked. Errors: `invalid_input`, `too_large`, `unsupported`. */
  facts(path: string, param: string): Promise<ImageFacts>;
  /** The EXIF block of a picture, turned upright; null if it has none. */
  exif(path: string): Promise<Uint8Array | null>;
  /** The quality 1..100 that a JPEG file was written with; null for other formats. */
  jpegQuality(path: string): Promise<number | null>;
  /** The picture at its own size, or resized to exactly `size`; alpha is kept unless `channels` is 3 (flattened on white). */
  decode(path: string, options?: { size?: Size; channels?: 3 | 4; profile?: ColourProfile }): Promise<Pixels>;
  /** Decodes once to a temporary file that is read by rows. */
  open(path: string, options?: { profile?: ColourProfile | undefined }): Promise<PixelReader>;
  /** Decodes once to a file of which single rows are changed, which spares going through all the others. `format` as in `create`. */
  edit(path: string, options?: { format?: OutputFormat }): Promise<PixelEditor>;
  /** The ICC profile that comes with an RGB picture; null if it has none, or is of another colour model. */
  profile(path: string): Promise<Uint8Array | null>;
  encode(pixels: Pixels, format: OutputFormat, options?: EncodeOptions): Promise<OutputFile>;
  /**
   * A picture of `size` to be written by rows. With `format`, `too_large` comes now and not after the work; with
   * `profile`, its numbers are meant so and it goes into the result.
   */
  create(
    size: Size & { channels: 1 | 3 | 4; format?: OutputFormat; profile?: Uint8Array | undefined },
  ): Promise<PixelWriter>;
  /** This kit, whose results are not encoded: their paths are good for the same kit only. Transparency stays, whatever the format. */
  between(): ImageKit;
  /** One zip of several files, each under the name given to it; the files themselves are removed. */
  pack(files: readonly { name: string; file: OutputFile }[]): Promise<OutputFile>;
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

/** The slot of a model of a step. */
export function stepSlot(index: number, slot: string): string {
  return `${index}/${slot}`;
}

/** A clip to be made. */
export interface ClipPlan extends Size {
  /** Frames per second. */
  fps: number;
  /** Exactly this many frames. */
  frames: number;
}

/** Encoding of clips. */
export interface ClipKit {
  /**
   * Encodes frames while they come, as fast as the encoder takes them: H.264 in MP4 that starts to play before it is
   * loaded. The memory of a frame may be used again when the third one after it is asked for. Errors: those of
   * `frames`, `storage_full`, `internal`.
   */
  encode(frames: AsyncIterable<Frame>, plan: ClipPlan): Promise<OutputFile>;
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
  clips: ClipKit;
  /**
   * Does one of the operation's own steps to a picture. Unless it is the last, what it makes is not encoded: its path is
   * good for another step and for the image kit of this bench.
   */
  step(index: number, options: { picture: string; isLast: boolean }): Promise<Outcome>;
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
