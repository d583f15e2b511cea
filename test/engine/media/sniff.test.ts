import { describe, expect, it } from 'vitest';
import { sniff } from '#src/engine/media/sniff.js';
import { bytesOf, scene, type Write } from './pictures.js';

const bytes = (latin1: string) => Buffer.from(latin1, 'latin1');
const ftyp = (major: string, ...compatible: string[]) =>
  bytes(
    `\0\0\0${String.fromCharCode(16 + 4 * compatible.length)}ftyp${major}\0\0\0\0${compatible.join('')}\0\0\0\x08mdat`,
  );

describe('sniff', () => {
  it.each([
    ['jpeg', (picture) => picture.jpeg()],
    ['png', (picture) => picture.png()],
    ['webp', (picture) => picture.webp()],
    ['webp', (picture) => picture.webp({ lossless: true })],
    ['avif', (picture) => picture.avif()],
    ['tiff', (picture) => picture.tiff()],
    ['tiff', (picture) => picture.tiff({ bigtiff: true })],
    ['gif', (picture) => picture.gif()],
  ] as [string, Write][])('takes a %s as it is written', async (format, write) => {
    expect(sniff(await bytesOf(scene(9, 7, 3), write))).toEqual({ format });
  });

  it.each([
    ['tiff', bytes('MM\0*\0\0\0\x08')],
    ['tiff', bytes('MM\0+\0\x08\0\0')],
    ['gif', bytes('GIF87a')],
    ['avif', ftyp('avif', 'mif1', 'miaf')],
    ['avif', ftyp('avis', 'msf1')],
    ['avif', ftyp('mif1', 'miaf', 'avif')],
  ])('takes other beginnings of a %s', (format, start) => {
    expect(sniff(start)).toEqual({ format });
  });

  it.each([
    ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg">'],
    ['an SVG', '<?xml version="1.0"?>\n<!-- made by hand -->\n<svg width="1">'],
    ['a BMP', 'BM\x36\x03\0\0\0\0\0\0\x36\0\0\0'],
    ['a JPEG XL', '\xff\x0a\xfa\x7f'],
    ['a JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n'],
    ['a JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n'],
    ['a Photoshop document', '8BPS\0\x01'],
    ['an icon', '\0\0\x01\0\x01\0'],
    ['a camera raw file (CR2)', 'II*\0\x10\0\0\0CR\x02\0'],
    ['a libvips picture', '\xb6\xa6\xf2\x08\0\0\0\0'],
    ['a Netpbm picture', 'P6\n3 3\n255\n'],
  ])('names %s as a picture that is not taken', (found, start) => {
    expect(sniff(bytes(start))).toEqual({ found, isPicture: true });
  });

  it.each([
    ['HEIC', ftyp('heic', 'mif1')],
    ['HEIC', ftyp('heix', 'mif1', 'miaf')],
    ['HEIC', ftyp('mif1', 'mif1', 'heic')],
    ['HEIC', ftyp('heic', 'mif1', 'avif')],
    ['a HEIF that is not an AVIF', ftyp('mif1', 'miaf')],
    ['a camera raw file (CR3)', ftyp('crx ', 'isom')],
  ])('tells %s from AVIF by its brands', (found, start) => {
    expect(sniff(start)).toEqual({ found, isPicture: true });
  });

  it.each([
    ['an empty file', bytes('')],
    ['a PDF', bytes('%PDF-1.7\n')],
    ['a ZIP', bytes('PK\x03\x04\x14\0')],
    ['a gzip file', bytes('\x1f\x8b\x08\0')],
    ['an MP4', ftyp('isom', 'iso2', 'avc1', 'mp41')],
    ['a QuickTime video', ftyp('qt  ')],
    ['a Matroska or WebM video', bytes('\x1a\x45\xdf\xa3')],
    ['a WAV', bytes('RIFF\0\0\0\0WAVEfmt ')],
    ['an HTML page', bytes('\n<!DOCTYPE html><svg></svg>')],
    ['an XML file', bytes('\xef\xbb\xbf<?xml version="1.0"?><note/>')],
    ['a text', bytes('just words')],
    ['a program', bytes('\x7fELF\x02\x01')],
    ['bytes of no known type', bytes('\0\x01\x02\x03')],
    ['bytes of no known type', bytes('RIFF\0\0\0\0')],
  ])('names %s as no picture', (found, start) => {
    expect(sniff(start)).toEqual({ found, isPicture: false });
  });

  it('looks at the start only, so what is appended does not matter', async () => {
    const png = await bytesOf(scene(3, 3, 3));
    expect(sniff(Buffer.concat([png, bytes('PK\x03\x04<html><svg>%PDF-')]))).toEqual({ format: 'png' });
  });

  it('reads a view into a larger buffer from its own start', () => {
    expect(sniff(bytes('xxGIF89a').subarray(2))).toEqual({ format: 'gif' });
  });
});
