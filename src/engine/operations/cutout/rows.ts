import type { Pixels } from '../../media/media.js';
import { bands } from '../picture-rows.js';
import type { PixelReader, Workbench } from '../workbench.js';
import type { Subject } from './find-subject.js';

/** The rows of a picture with the alpha of its subject and clean colours (4 channels), from top to bottom. */
export async function* cutRows(bench: Workbench, source: PixelReader, subject: Subject): AsyncGenerator<Pixels> {
  for await (const { rows, top } of bands(bench, source)) {
    const alpha = await subject.alphaOf(rows, top);
    const result = withAlpha(rows, alpha);
    subject.cleanColours(result, top);
    keepTransparency(result.data, 4, rows);
    yield result;
  }
}

/** The alpha of the subject alone (1 channel), from top to bottom. */
export async function* maskRows(bench: Workbench, source: PixelReader, subject: Subject): AsyncGenerator<Pixels> {
  for await (const { rows, top } of bands(bench, source)) {
    const alpha = await subject.alphaOf(rows, top);
    keepTransparency(alpha, 1, rows);
    yield { data: alpha, width: rows.width, height: rows.height, channels: 1 };
  }
}

/** The last channel of rows alone. */
export function alphaOf({ data, width, height, channels }: Pixels): Pixels {
  const alpha = new Uint8Array(width * height);
  for (let at = 0, from = channels - 1; at < alpha.length; at++, from += channels) alpha[at] = data[from] as number;
  return { data: alpha, width, height, channels: 1 };
}

/** The colours of rows without their alpha. */
export function coloursOf({ data, width, height }: Pixels): Pixels {
  const colours = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    colours[to] = data[from] as number;
    colours[to + 1] = data[from + 1] as number;
    colours[to + 2] = data[from + 2] as number;
  }
  return { data: colours, width, height, channels: 3 };
}

/**
 * The colours of rows, where what is transparent takes the colour of what is nearest in its row: a JPEG lets neighbouring
 * colours run into one another, and nothing else may run into the edges.
 */
export function spreadColours({ data, width, height }: Pixels): Pixels {
  const colours = coloursOf({ data, width, height, channels: 4 });
  for (let y = 0; y < height; y++) {
    const start = y * width;
    let last = -1;
    for (let x = 0; x < width; x++) {
      if (data[4 * (start + x) + 3] === 0) continue;
      const from = last < 0 ? 0 : Math.floor((last + x) / 2) + 1;
      paint(colours.data, [start + from, start + x], start + x);
      if (last >= 0) paint(colours.data, [start + last + 1, start + from], start + last);
      last = x;
    }
    if (last >= 0) paint(colours.data, [start + last + 1, start + width], start + last);
    else colours.data.fill(255, 3 * start, 3 * (start + width));
  }
  return colours;
}

function paint(colours: Uint8Array, [from, to]: [number, number], source: number): void {
  const colour = colours.slice(3 * source, 3 * source + 3);
  for (let at = from; at < to; at++) colours.set(colour, 3 * at);
}

function withAlpha({ data, width, height, channels }: Pixels, alpha: Uint8Array): Pixels {
  const result = new Uint8Array(width * height * 4);
  for (let at = 0, from = 0, to = 0; at < alpha.length; at++, from += channels, to += 4) {
    result[to] = data[from] as number;
    result[to + 1] = data[from + 1] as number;
    result[to + 2] = data[from + 2] as number;
    result[to + 3] = alpha[at] as number;
  }
  return { data: result, width, height, channels: 4 };
}

/** What was transparent before stays so: multiplies the alpha of the picture into the last of the channels of the result. */
function keepTransparency(result: Uint8Array, channels: 1 | 4, before: Pixels): void {
  if (before.channels !== 4) return;
  for (let from = 3, to = channels - 1; to < result.length; from += 4, to += channels) {
    result[to] = Math.round(((result[to] as number) * (before.data[from] as number)) / 255);
  }
}
