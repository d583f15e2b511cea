import { open } from 'node:fs/promises';

/** Markers of JPEG (ITU-T T.81, table B.1). */
const [startOfScan, quantisation] = [0xda, 0xdb];

/** The first coefficients of the luma table of T.81, K.1, in zigzag order, on which the usual quality scale is built. */
const standard = [16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37];

// Tables come after all metadata, of which cameras write up to a few segments of 64 KB.
const headBytes = 1 << 19;

/** The quality of the JPEG file at this path (see `jpegQuality`); null for a file of another format. */
export async function readJpegQuality(path: string): Promise<number | null> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = buffer.subarray(0, bytesRead);
    return head[0] === 0xff && head[1] === 0xd8 ? jpegQuality(head) : null;
  } finally {
    await file.close();
  }
}

/**
 * The quality 1..100 that libjpeg's scale gives the luma table in the head of a JPEG file; null if there is none. Encoders
 * with tables of their own (Photoshop, cameras) come out at the quality that quantises as strongly.
 */
export function jpegQuality(head: Uint8Array): number | null {
  const table = lumaTable(head);
  if (!table) return null;
  const scale = (100 * sum(table)) / sum(standard);
  const quality = scale <= 100 ? (200 - scale) / 2 : 5000 / scale;
  return Math.min(100, Math.max(1, Math.round(quality)));
}

function lumaTable(head: Uint8Array): number[] | null {
  for (let at = 2; at + 4 <= head.length && head[at] === 0xff; ) {
    const marker = head[at + 1] as number;
    const length = ((head[at + 2] as number) << 8) | (head[at + 3] as number);
    if (marker === startOfScan || length < 2) return null;
    if (marker === quantisation) return readTable(head.subarray(at + 4, at + 2 + length));
    at += 2 + length;
  }
  return null;
}

function readTable(segment: Uint8Array): number[] | null {
  const is16Bit = (segment[0] as number) >> 4 !== 0;
  const step = is16Bit ? 2 : 1;
  if (segment.length < 1 + standard.length * step) return null;
  return standard.map((_, index) => {
    const at = 1 + index * step;
    return is16Bit ? ((segment[at] as number) << 8) | (segment[at + 1] as number) : (segment[at] as number);
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
