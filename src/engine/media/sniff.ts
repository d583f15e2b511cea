import type { ImageFormat } from './media.js';

/** How many bytes of the start of a file `sniff` looks at: an SVG may open with a long comment. */
export const sniffBytes = 4096;

/** One of the formats that are taken, or what the file is instead, in words. */
export type Sniffed = { format: ImageFormat } | { found: string; isPicture: boolean };

/** Tells a file by its first `sniffBytes` bytes, never by its name. */
export function sniff(bytes: Uint8Array): Sniffed {
  if (bytes.length === 0) return other('an empty file');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, sniffBytes)).toString('latin1');
  if (text.startsWith('ftyp', 4)) return sniffBrands(text);
  const marked = marks.find(([mark]) => starts(text, mark)) ?? texts.find(([pattern]) => pattern.test(text));
  return marked?.[1] ?? other('bytes of no known type');
}

/** An ISO base media file: the first brand that says something decides, the major one before the compatible ones. */
function sniffBrands(text: string): Sniffed {
  const boxEnd = text.charCodeAt(2) * 256 + text.charCodeAt(3);
  const listed = [text.slice(8, 12)];
  for (let at = 16; at + 4 <= boxEnd; at += 4) listed.push(text.slice(at, at + 4));
  const telling = listed.find((brand) => Object.hasOwn(brands, brand));
  if (telling !== undefined) return brands[telling];
  return /^(mif|msf)/.test(text.slice(8, 12)) ? picture('a HEIF that is not an AVIF') : other('an MP4');
}

/** Whether a text begins with a mark, in which `?` stands for any byte. */
function starts(text: string, mark: string): boolean {
  return text.length >= mark.length && [...mark].every((sign, at) => sign === '?' || sign === text[at]);
}

const take = (format: ImageFormat): Sniffed => ({ format });
const picture = (found: string): Sniffed => ({ found, isPicture: true });
const other = (found: string): Sniffed => ({ found, isPicture: false });
const heic = picture('HEIC');

/** ISO/IEC 23008-12 for HEIC, AV1 Image File Format 1.1 for AVIF. */
const brands: Record<string, Sniffed> = {
  avif: take('avif'),
  avis: take('avif'),
  heic,
  heix: heic,
  heim: heic,
  heis: heic,
  hevc: heic,
  hevx: heic,
  hevm: heic,
  hevs: heic,
  'crx ': picture('a camera raw file (CR3)'),
  'qt  ': other('a QuickTime video'),
  'M4A ': other('an M4A'),
};

/** First bytes as Latin-1; the first match wins. */
const marks: [mark: string, sniffed: Sniffed][] = [
  ['\xff\xd8\xff', take('jpeg')],
  ['\x89PNG\r\n\x1a\n', take('png')],
  ['GIF87a', take('gif')],
  ['GIF89a', take('gif')],
  ['RIFF????WEBP', take('webp')],
  // A Canon raw file is a TIFF whose first picture is a thumbnail.
  ['II*\0????CR', picture('a camera raw file (CR2)')],
  ['II*\0', take('tiff')],
  ['MM\0*', take('tiff')],
  // BigTIFF.
  ['II+\0', take('tiff')],
  ['MM\0+', take('tiff')],
  ['BM????\0\0\0\0', picture('a BMP')],
  ['\xff\x0a', picture('a JPEG XL')],
  ['\0\0\0\x0cJXL ', picture('a JPEG XL')],
  ['\0\0\0\x0cjP  ', picture('a JPEG 2000')],
  ['\xff\x4f\xff\x51', picture('a JPEG 2000')],
  ['8BPS', picture('a Photoshop document')],
  ['gimp xcf', picture('a GIMP document')],
  ['\0\0\x01\0', picture('an icon')],
  ['v/1\x01', picture('an OpenEXR picture')],
  ['#?RADIANCE', picture('a Radiance picture')],
  ['qoif', picture('a QOI')],
  ['SIMPLE  =', picture('a FITS picture')],
  ['\xb6\xa6\xf2\x08', picture('a libvips picture')],
  ['\x08\xf2\xa6\xb6', picture('a libvips picture')],
  ['%PDF-', other('a PDF')],
  ['%!PS', other('a PostScript file')],
  ['PK\x03\x04', other('a ZIP')],
  ['\x1f\x8b', other('a gzip file')],
  ['Rar!', other('a RAR')],
  ['7z\xbc\xaf', other('a 7z archive')],
  ['\x1a\x45\xdf\xa3', other('a Matroska or WebM video')],
  ['RIFF????AVI ', other('an AVI')],
  ['RIFF????WAVE', other('a WAV')],
  ['ID3', other('an MP3')],
  ['OggS', other('an Ogg file')],
  ['fLaC', other('a FLAC')],
  ['MZ', other('a program')],
  ['\x7fELF', other('a program')],
];

/** What is told by signs that may stand anywhere; asked last. */
const texts: [pattern: RegExp, sniffed: Sniffed][] = [
  [/^P[1-7]\s/, picture('a Netpbm picture')],
  [/<!doctype html|<html[\s>]/i, other('an HTML page')],
  [/<svg[\s>]/i, picture('an SVG')],
  [/^(\xef\xbb\xbf)?\s*<\?xml/, other('an XML file')],
  [/^[\t\n\f\r\x20-\x7e\x80-\xff]+$/, other('a text')],
];
