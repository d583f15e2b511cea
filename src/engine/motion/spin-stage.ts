import type { Pixels, Size } from '../media/media.js';
import type { Workbench } from '../operations/workbench.js';
import { backdropRows } from '../studio/backdrop.js';
import type { Rgba } from '../studio/colour.js';
import { layOver } from '../studio/composition.js';
import { bodyOf } from './body.js';
import { smoothestStep } from './easing.js';
import { type Look, turningOf } from './girth-bends.js';
import { shadowOf } from './ground.js';
import { grey, openSpinScene } from './spin-scene.js';
import type { Stage, Wish } from './stage.js';
import { alphaOf, findSubject, type Subject } from './subject.js';

/** Fewer views than these are so far apart that the motion between them can't be followed. */
const enoughViews = 18;

/** Longer side of the pictures on which outlines are looked for. */
const lookSide = 320;

/** The subject of a view, found once; null as for `findSubject`. */
type SubjectAt = (view: number) => Promise<Subject | null>;

/** Pictures of a thing from all around, shown as one turn of it: as they are, or cut free on one studio floor. */
export async function spinStage(bench: Workbench, wish: Wish): Promise<Stage> {
  const { views, picture, frame, studio, isLoop, frames } = wish;
  const turnAt = isLoop ? (moment: number) => moment : smoothestStep;
  const subjectAt = subjectsOf(bench, views);
  const looks = studio || views.length < enoughViews ? await findLooks(bench, wish, subjectAt) : null;
  const turning = looks && views.length < enoughViews ? turningOf(looks) : null;
  const asItIs = (view: number, size: Size) => bench.images.decode(views[view] ?? '', { size, channels: 3 });
  const decode = studio && looks ? studioViews(subjectAt, { colour: wish.colour, horizon: lowestOf(looks) }) : asItIs;
  return {
    kind: 'spin',
    warnings: warningsOf(wish, looks !== null),
    open: async ({ from, to, path }) =>
      openSpinScene({
        ...{ views: views.length, picture, frame, path, turning, decode },
        turn: (time) => turnAt((from + time * (to - from)) / frames),
      }),
  };
}

function warningsOf({ views, studio }: Wish, isKnown: boolean): string[] {
  const how = isKnown ? 'worked out from their outlines' : 'guessed';
  return [
    ...(views.length < enoughViews
      ? [
          `What lies between ${views.length} views was ${how}; with ${enoughViews} or more a turn is true to all of them`,
        ]
      : []),
    ...(studio && !isKnown
      ? ['No subject was found in the views: they are shown on their own background, not on a studio floor']
      : []),
  ];
}

function subjectsOf(bench: Workbench, views: readonly string[]): SubjectAt {
  const found = new Map<number, Subject | null>();
  return async (view) => {
    const path = views[view] ?? '';
    const subject = found.get(view) ?? (await findSubject(bench, path, await bench.images.facts(path, 'views')));
    found.set(view, subject);
    return subject;
  };
}

/** What is opaque of each view, and how bright it is; null where nothing tells. */
async function findLooks(
  bench: Workbench,
  { views, picture }: Wish,
  subjectAt: SubjectAt,
): Promise<[Look, ...Look[]] | null> {
  const factor = lookSide / Math.max(picture.width, picture.height);
  const size = { width: Math.round(picture.width * factor), height: Math.round(picture.height * factor) };
  const looks: Look[] = [];
  for (const [view, path] of views.entries()) {
    const cutOut = await (await subjectAt(view))?.cutOut(size);
    if (!cutOut || !bodyOf(cutOut)) return null;
    looks.push({ alpha: alphaOf(cutOut), grey: grey(await bench.images.decode(path, { size, channels: 3 })) });
  }
  const [first, ...others] = looks;
  return first ? [first, ...others] : null;
}

/** Where the thing stands, as a fraction of the height. */
function lowestOf([{ alpha }]: [Look, ...Look[]]): number {
  const last = alpha.data.findLastIndex((value) => value > 0.5);
  return (Math.floor(last / alpha.width) + 1) / alpha.height;
}

/** Views cut free, each with its shadow, on a floor that is the same for all. */
function studioViews(subjectAt: SubjectAt, { colour, horizon }: { colour: Rgba; horizon: number }) {
  return async (view: number, size: Size): Promise<Pixels> => {
    const floor = backdropRows({ kind: 'studio', colour, horizon }, size)(0, size.height);
    const cutOut = await (await subjectAt(view))?.cutOut(size);
    const body = cutOut && bodyOf(cutOut);
    if (body) {
      const shadow = shadowOf(body);
      const [left, top] = body.inPicture(0, 0);
      const aside = (shadow.pixels.width - body.pixels.width) / 2;
      layAt(floor, shadow.pixels, {
        left: Math.round(left * size.width - aside),
        top: Math.round(top * size.height) + body.box.bottom - shadow.line,
      });
      layOver(floor, cutOut, 0);
    }
    return withoutAlpha(floor);
  };
}

/** Lays over what of a picture lies within another one. */
function layAt(under: Pixels, { data, width, height }: Pixels, { left, top }: { left: number; top: number }): void {
  const [first, end] = [Math.max(0, -left), Math.min(width, under.width - left)];
  for (let row = Math.max(0, -top); row < Math.min(height, under.height - top); row++) {
    const line = { ...under, data: under.data.subarray(4 * (top + row) * under.width), height: 1 };
    const part = data.subarray(4 * (row * width + first), 4 * (row * width + end));
    layOver(line, { data: part, width: Math.max(0, end - first), height: 1, channels: 4 }, left + first);
  }
}

function withoutAlpha({ data, width, height }: Pixels): Pixels {
  const result = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < result.length; from += 4, to += 3) {
    for (let channel = 0; channel < 3; channel++) result[to + channel] = data[from + channel] as number;
  }
  return { data: result, width, height, channels: 3 };
}
