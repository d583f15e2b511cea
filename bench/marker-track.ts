import { spawn } from 'node:child_process';
import sharp from 'sharp';
import { randomNumbers } from './statistics.js';

export const frame = { width: 1280, height: 720 };

/** Where the markers are, in fractions of the picture: off the middle, at places of no round number. */
const markers = [
  { x: 0.2213, y: 0.2671 },
  { x: 0.8037, y: 0.3119 },
  { x: 0.3151, y: 0.7433 },
  { x: 0.7219, y: 0.6887 },
];

/** Standard deviation of a marker, and the side of the plain patch that it lies on, in pixels of the picture. */
const markerSize = 4;
const patch = 36;

/** A picture with detail everywhere but around its markers, which are dark and soft: their place can be told exactly. */
export async function markedPicture(path: string): Promise<void> {
  const { width, height } = frame;
  const random = randomNumbers(7);
  const data = Buffer.alloc(width * height * 3, 136);
  for (let leaf = 0; leaf < 900; leaf++) {
    const [x, y, radius] = [random() * width, random() * height, 6 + 60 * random() ** 3];
    const colour = Buffer.from([0, 1, 2].map(() => Math.round(60 + 180 * random())));
    for (let row = Math.max(0, Math.ceil(y - radius)); row < Math.min(height, y + radius); row++) {
      const half = Math.sqrt(radius ** 2 - (row - y) ** 2);
      const [first, last] = [Math.max(0, Math.round(x - half)), Math.min(width, Math.round(x + half))];
      if (last > first) data.fill(colour, 3 * (row * width + first), 3 * (row * width + last));
    }
  }
  for (const marker of markers) drawMarker(data, marker);
  await sharp(data, { raw: { ...frame, channels: 3 } })
    .png()
    .toFile(path);
}

function drawMarker(data: Buffer, { x, y }: { x: number; y: number }): void {
  const [middle, line] = [x * frame.width, y * frame.height];
  for (let row = Math.round(line) - patch; row < line + patch; row++) {
    for (let column = Math.round(middle) - patch; column < middle + patch; column++) {
      const away = ((column + 0.5 - middle) ** 2 + (row + 0.5 - line) ** 2) / (2 * markerSize ** 2);
      data.fill(
        Math.round(220 - 180 * Math.exp(-away)),
        3 * (row * frame.width + column),
        3 * (row * frame.width + column) + 3,
      );
    }
  }
}

/**
 * How a slow zoom shakes: root mean square of the second difference, from frame to frame, of what the places of the
 * markers differ from a smooth curve, in pixels; over all markers, across and down.
 */
export async function jitterOf(ffmpeg: string, clip: string): Promise<{ jitter: number; frames: number }> {
  const tracks = markers.map(({ x, y }) => ({
    x: x * frame.width,
    y: y * frame.height,
    xs: [] as number[],
    ys: [] as number[],
  }));
  let frames = 0;
  for await (const luma of lumaFrames(ffmpeg, clip)) {
    frames += 1;
    for (const track of tracks) {
      const place = centre(luma, track);
      Object.assign(track, place);
      track.xs.push(place.x);
      track.ys.push(place.y);
    }
  }
  const shakes = tracks.flatMap(({ xs, ys }) => [xs, ys]).flatMap((values) => secondDifferences(withoutCurve(values)));
  return { jitter: Math.sqrt(shakes.reduce((sum, value) => sum + value ** 2, 0) / shakes.length), frames };
}

/** The centre of gravity of what is dark around a place. */
function centre(luma: Uint8Array, { x, y }: { x: number; y: number }): { x: number; y: number } {
  const reach = 20;
  let [sum, across, down] = [0, 0, 0];
  for (let row = Math.round(y) - reach; row <= Math.round(y) + reach; row++) {
    for (let column = Math.round(x) - reach; column <= Math.round(x) + reach; column++) {
      const dark = Math.max(0, 190 - (luma[row * frame.width + column] ?? 255));
      sum += dark;
      across += dark * (column + 0.5);
      down += dark * (row + 0.5);
    }
  }
  return { x: across / sum, y: down / sum };
}

async function* lumaFrames(ffmpeg: string, clip: string): AsyncGenerator<Uint8Array> {
  const decoder = spawn(ffmpeg, ['-v', 'error', '-i', clip, '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-']);
  const length = frame.width * frame.height * 1.5;
  let rest = Buffer.alloc(0);
  for await (const chunk of decoder.stdout) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    for (; rest.length >= length; rest = rest.subarray(length)) yield rest.subarray(0, frame.width * frame.height);
  }
}

function secondDifferences(values: readonly number[]): number[] {
  return values.slice(2).map((value, at) => value - 2 * (values[at + 1] as number) + (values[at] as number));
}

/** What is left of a series after its best polynomial of the fifth degree: least squares by Gram–Schmidt. */
function withoutCurve(values: readonly number[]): number[] {
  const times = values.map((_, at) => (2 * at) / (values.length - 1) - 1);
  const basis: number[][] = [];
  let rest = [...values];
  for (let degree = 0; degree <= 5; degree++) {
    let power = times.map((time) => time ** degree);
    for (const known of basis) power = without(power, known);
    const length = Math.sqrt(dot(power, power));
    const unit = power.map((value) => value / length);
    basis.push(unit);
    rest = without(rest, unit);
  }
  return rest;
}

function without(values: readonly number[], unit: readonly number[]): number[] {
  const share = dot(values, unit);
  return values.map((value, at) => value - share * (unit[at] as number));
}

function dot(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, at) => sum + value * (other[at] as number), 0);
}
