import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { EngineError } from '../errors.js';
import type { OutputFile } from '../operations/operation.js';
import type { ColourProfile, EncodeOptions, ImageKit, PixelWriter } from '../operations/workbench.js';
import { packFiles } from './archive.js';
import { copiedTiff, openEditor, uprightTiff } from './editor.js';
import { insertExif, uprightExif } from './exif.js';
import { readJpegQuality } from './jpeg-quality.js';
import { admit, broken, checkOutput, checkSize, type Terms } from './gate.js';
import {
  contentTypes,
  type ImageFacts,
  type ImageFormat,
  type ImageLimits,
  type OutputFormat,
  type Pixels,
  type Size,
} from './media.js';
import { explainingResources, resourceError } from './resources.js';
import { createRowWriter } from './row-writer.js';
import { openSpool, type Spool } from './spool.js';
import { tiffHeader } from './tiff.js';

// Settings of libvips are those of the process, so they are made once, here, by the only module that loads it.
// Each picture is read once and its file is then deleted: a cache would only hold memory and descriptors.
sharp.cache(false);
// Pictures run side by side, one per worker; four threads for one picture made it no faster when measured.
sharp.concurrency(1);
// Every loader of libvips but those of our formats. Each worker thread runs this line while others decode, so it must
// only ever block: to block all and unblock some would, for a moment, take the decoders away from the whole process.
sharp.block({
  operation:
    'Analyze Csv DcRaw Fits Jp2k Jxl Magick Magick7 Mat Matrix Nifti Openexr Openslide Pdf Ppm Rad Raw Svg Uhdr Vips'
      .split(' ')
      .map((loader) => `VipsForeignLoad${loader}`),
});

/** The side of the small picture that an inspection decodes to: small enough that JPEG shrinks while it loads. */
const inspectionSide = 64;

/** A .v file of libvips: this header, then the rows as they are. */
const vipsHeaderBytes = 64;

/** For what we made ourselves, and for reading a header, whose numbers are then checked with a better message. */
const unlimited = { limitInputPixels: false };

const white = '#ffffff';

/**
 * How each format is written, by measurement on photographs, one core:
 * - png: level 2 with filters takes 64 ms and 1.22 MB a megapixel; level 6 takes 123 ms for 1.14 MB, or without filters
 *   56 ms for 1.64 MB.
 * - webp: effort 2 takes 107 ms a megapixel, effort 4 190 ms for files of the same size; below 2 the encoder fails on
 *   detailed pictures from 48 megapixels.
 * - jpg: full colour resolution, because the edges of products are often of saturated colour. Optimised Huffman tables
 *   would save 2 to 10 % and keep the whole picture in memory (644 MB for 96 megapixels).
 */
const encoders = {
  png: (image) => image.png({ compressionLevel: 2, adaptiveFiltering: true }),
  webp: (image, quality = 90) => image.webp({ quality, effort: 2 }),
  jpg: (image, quality = 92) =>
    image.flatten({ background: white }).jpeg({ quality, chromaSubsampling: '4:4:4', optimiseCoding: false }),
} satisfies Record<OutputFormat, (image: Sharp, quality?: number) => Sharp>;

/** A picture that was let in: its header is read and within the limits, its pixels are not decoded. */
interface Admitted {
  facts: ImageFacts;
  /** EXIF, 1..8. */
  orientation: number;
  /** The pixels to come: 8 bit, sRGB unless another profile was asked for, not yet turned upright. */
  image: Sharp;
  /** ICC profile of an RGB picture. */
  profile: Uint8Array | null;
  /** EXIF that says that the picture is upright. */
  exif: Uint8Array | null;
  terms: Terms;
}

/** Versions for diagnosis. */
export function imageRuntime(): { sharp: string; vips: string } {
  return { sharp: sharp.versions.sharp ?? 'unknown', vips: sharp.versions.vips };
}

/**
 * The facts of a picture that was checked against the limits and then decoded to its end, at reduced size.
 * Errors, with `param`: `invalid_input` (empty, not a picture, damaged or cut off), `unsupported`, `too_large`.
 */
export async function inspect(path: string, param: string, limits: ImageLimits): Promise<ImageFacts> {
  const picture = await admitPicture(path, { param, limits });
  await decode(picture, { size: { width: inspectionSide, height: inspectionSide } });
  return picture.facts;
}

/**
 * Decoding and encoding for one attempt. Files are made in `folder`; outputs stay, the others are removed when they are
 * done with. Errors: those of `inspect` for pictures that come in, `too_large` for a result that its format cannot hold,
 * `storage_full`, `out_of_memory`.
 */
export function createImageKit({ folder, limits }: { folder: string; limits: ImageLimits }): ImageKit {
  let files = 0;
  const newFile = (extension: string) => {
    files += 1;
    return join(folder, `${files}.${extension}`);
  };
  // Later steps know a picture by its path alone; their errors name the field that it came in all the same.
  const params = new Map<string, string>();
  const admitKnown = async (path: string, profile?: ColourProfile) => {
    const own = unencoded.get(path);
    if (own) return admitOwn(own);
    const into = profile instanceof Uint8Array ? await explainingResources(saved(profile, newFile('icc'))) : profile;
    return admitPicture(path, { param: params.get(path) ?? 'image', limits }, into);
  };
  const unencoded = new Map<string, Spool>();
  const editable = async (path: string, format: OutputFormat | undefined) => {
    const own = unencoded.get(path);
    const admitted = await admitKnown(path);
    if (format) checkOutput(admitted.facts, format);
    if (own) return copiedTiff(own, newFile('tif'));
    return uprightTiff(await spooled(admitted, newFile('v')), admitted.orientation, newFile('tif'));
  };
  const kit: ImageKit = {
    async facts(path, param) {
      params.set(path, param);
      return (await admitKnown(path)).facts;
    },
    exif: async (path) => (await admitKnown(path)).exif,
    jpegQuality: async (path) => (unencoded.has(path) ? null : readJpegQuality(path)),
    decode: async (path, options) => decode(await admitKnown(path, options?.profile), options),
    async open(path, options) {
      const spool = unencoded.get(path);
      if (spool) return openSpool(spool, 1, { isKept: true });
      const admitted = await admitKnown(path, options?.profile);
      return openSpool(await spooled(admitted, newFile('v')), admitted.orientation);
    },
    async edit(path, { format } = {}) {
      const spool = await editable(path, format);
      return openEditor(spool, (final, options) =>
        encode(fromRows(spool.path, spool), newFile(final), { format: final, size: spool, ...options }),
      );
    },
    profile: async (path) => (await admitKnown(path)).profile,
    encode: (pixels, format, options) =>
      encode(fromPixels(pixels), newFile(format), { format, size: pixels, ...options }),
    async create({ format: intended = 'png', ...size }) {
      checkOutput(size, intended);
      const encodeRows = (path: string, format: OutputFormat, options?: EncodeOptions) =>
        encode(fromRows(path, size), newFile(format), { format, size, ...options });
      return createRowWriter({ size, path: newFile('tif'), encode: encodeRows });
    },
    between: () => ({
      ...kit,
      create: (size) => createUnencoded(size, { path: newFile('tif'), unencoded }),
      async edit(path) {
        const spool = await editable(path, undefined);
        return openEditor(spool, async () => keepUnencoded(spool, unencoded));
      },
    }),
    pack: (files) => explainingResources(packFiles(files, newFile('zip'))),
  };
  return kit;
}

/** A picture whose rows stay as they are written, and are remembered by their path. */
async function createUnencoded(
  { format: _, profile: __, ...size }: Parameters<ImageKit['create']>[0],
  { path, unencoded }: { path: string; unencoded: Map<string, Spool> },
): Promise<PixelWriter> {
  const { width, height, channels } = size;
  if (channels === 1) throw new EngineError('internal', 'Expected a picture in colour between two steps');
  return createRowWriter({
    size,
    path,
    isKept: true,
    encode: async () => keepUnencoded({ path, width, height, channels, offset: tiffHeader(size).length }, unencoded),
  });
}

function keepUnencoded(spool: Spool, unencoded: Map<string, Spool>): OutputFile {
  const { path, width, height } = spool;
  unencoded.set(path, spool);
  return { path, format: 'tif', contentType: contentTypes.tiff, width, height };
}

/** Our own rows between two steps: nothing about them has to be checked. */
function admitOwn({ path, width, height, channels }: Spool): Admitted {
  const limits = { maxBytes: Infinity, maxPixels: Infinity, maxSide: Infinity };
  return {
    facts: { format: 'tiff', width, height, bytes: width * height * channels, hasAlpha: channels === 4 },
    orientation: 1,
    image: sharp(path, unlimited).toColourspace('srgb'),
    profile: null,
    exif: null,
    terms: { param: 'image', limits },
  };
}

/** Written to a file, which is how the library takes a profile. */
async function saved(profile: Uint8Array, path: string): Promise<{ path: string }> {
  await writeFile(path, profile);
  return { path };
}

/** Our own file of rows; with a profile the numbers in it stay what they are. */
function fromRows(path: string, { channels, profile }: Omit<Parameters<ImageKit['create']>[0], 'format'>): Sharp {
  if (profile !== undefined) return sharp(path, { ...unlimited, ignoreIcc: true }).keepIccProfile();
  return channels === 1 ? sharp(path, unlimited).toColourspace('b-w') : sharp(path, unlimited);
}

async function admitPicture(path: string, terms: Terms, into?: 'own' | { path: string }): Promise<Admitted> {
  const { format, bytes } = await admit(path, terms);
  // `error`, not the stricter `warning`, which refuses photographs of common telephones (lovell/sharp#1578).
  const options: SharpOptions = { failOn: 'error', limitInputPixels: terms.limits.maxPixels };
  const metadata = await decoding(sharp(path, { ...options, ...unlimited }).metadata(), terms.param, format);
  const { width, height } = metadata.autoOrient;
  checkSize({ width, height }, terms);
  return {
    facts: { format, width, height, bytes, hasAlpha: metadata.hasAlpha },
    orientation: metadata.orientation ?? 1,
    image: toColours(path, options, { metadata, into }),
    profile: profileOf(metadata),
    exif: metadata.exif ? uprightExif(metadata.exif) : null,
    terms,
  };
}

/** Larger than any camera's or printer's: such a profile is not carried on. */
const maxProfileBytes = 4 << 20;

function profileOf({ icc }: Metadata): Uint8Array | null {
  // ICC.1:2022, 7.2.8: the colour space of the data.
  const isUsable = icc !== undefined && icc.length <= maxProfileBytes && icc.toString('latin1', 16, 20) === 'RGB ';
  return isUsable ? icc : null;
}

function isRgb({ space }: Metadata): boolean {
  return space === 'srgb' || space === 'rgb' || space === 'rgb16';
}

function toColours(
  path: string,
  options: SharpOptions,
  { metadata, into }: { metadata: Metadata; into: 'own' | { path: string } | undefined },
): Sharp {
  if (into === 'own' && isRgb(metadata)) return sharp(path, { ...options, ignoreIcc: true }).toColourspace('srgb');
  if (into === undefined || into === 'own') return toSrgb(sharp(path, options), metadata);
  return sharp(path, options).withIccProfile(into.path).toColourspace('srgb');
}

/**
 * sharp converts 16-bit pictures with a profile to Display P3 and leaves them there, so that their colours come out too
 * dull, unless an output profile is asked for; for any other picture asking for one does harm.
 */
function toSrgb(image: Sharp, { space, hasProfile }: Metadata): Sharp {
  return (space === 'rgb16' && hasProfile ? image.withIccProfile('srgb') : image).toColourspace('srgb');
}

type DecodeOptions = Parameters<ImageKit['decode']>[1];

async function decode({ facts, image, terms }: Admitted, { size, channels }: DecodeOptions = {}): Promise<Pixels> {
  image.autoOrient();
  if (size !== undefined) image.resize(size.width, size.height, { fit: 'fill' });
  if (channels === 3) image.flatten({ background: white });
  if (channels === 4) image.ensureAlpha();
  const raw = image.raw().toBuffer({ resolveWithObject: true });
  const { data, info } = await decoding(raw, terms.param, facts.format);
  return { data, width: info.width, height: info.height, channels: rgbChannels(info.channels, terms) };
}

/** Written as it lies in the file: sharp would turn it upright in memory, `openSpool` does it on disk. */
async function spooled({ facts, image, terms }: Admitted, path: string): Promise<Spool> {
  const { width, height, channels } = await decoding(image.toFile(path), terms.param, facts.format);
  return { path, width, height, channels: rgbChannels(channels, terms), offset: vipsHeaderBytes };
}

function rgbChannels(channels: number, { param }: Terms): 3 | 4 {
  if (channels === 3 || channels === 4) return channels;
  throw new EngineError('unsupported', `Expected \`${param}\` to be grey, RGB or CMYK, got ${channels} channels`, {
    param,
  });
}

function fromPixels({ data, width, height, channels }: Pixels): Sharp {
  const image = sharp(data, { ...unlimited, raw: { width, height, channels } });
  return image.toColourspace(channels === 1 ? 'b-w' : 'srgb');
}

async function encode(
  image: Sharp,
  path: string,
  { format, size, quality, dpi, exif }: { format: OutputFormat; size: Size } & EncodeOptions,
): Promise<OutputFile> {
  checkOutput(size, format);
  if (dpi !== undefined) image.withDensity(dpi);
  await explainingResources(encoders[format](image, quality).toFile(path));
  if (exif !== undefined) await explainingResources(insertExif(path, format, exif));
  return { path, format, contentType: contentTypes[format], width: size.width, height: size.height };
}

/** What goes wrong while a decoder works is the picture's fault unless disk or memory ran out. */
function decoding<Result>(work: Promise<Result>, param: string, format: ImageFormat): Promise<Result> {
  return work.catch((error: unknown) => {
    throw resourceError(error) ?? broken(param, format, error);
  });
}
