import {
  type Code,
  choose,
  f64,
  get,
  i16x8,
  i32,
  i32x4,
  i8x16,
  type Routine,
  repeatWhile,
  routine,
  select,
  set,
  together,
  v128,
  when,
} from './assembly.js';

/**
 * What fills one row of a plane of a frame through a mesh, four samples at a time: between two places of the mesh it walks
 * along a straight line through the source, in 65536ths of a sample, and mixes the four samples around each place
 * (bilinear). Addresses are bytes of the memory.
 */
export type Stroke = (
  /** Of the first sample of the source, pad included, and from one of its rows to the next. */
  source: number,
  stride: number,
  /** Of the places of the mesh above the row and below it, and how far down it lies; x, y and share are numbers of 64 bits, in 65536ths. */
  upper: number,
  lower: number,
  down: number,
  /** Samples from one place to the next, where in the first of them a sample lies (0..1), and samples of the row. */
  cell: number,
  siting: number,
  width: number,
  /** Of the first sample of the row. */
  into: number,
  /** Of the alpha plane, which is like the source; only `cover` has one. */
  alpha: number,
) => void;

const params = {
  source: 'i32',
  stride: 'i32',
  upper: 'i32',
  lower: 'i32',
  down: 'f64',
  cell: 'i32',
  siting: 'f64',
  width: 'i32',
  into: 'i32',
  alpha: 'i32',
} as const;

const locals = {
  // What a sample is of a run.
  share: 'f64',
  // Of a run: where it begins in the source, and one step of it; then the same as whole numbers.
  x: 'f64',
  y: 'f64',
  dx: 'f64',
  dy: 'f64',
  part: 'f64',
  dpart: 'f64',
  across: 'i32',
  along: 'i32',
  acrossStep: 'i32',
  alongStep: 'i32',
  shareStep: 'i32',
  // Where the next four samples go, and how many the run still has.
  at: 'i32',
  count: 'i32',
  // The places of these four in the source: exactly, as offsets, and how far right and down of a sample they lie.
  xs: 'v128',
  ys: 'v128',
  shares: 'v128',
  first: 'i32',
  second: 'i32',
  third: 'i32',
  fourth: 'i32',
  order: 'v128',
  rights: 'v128',
  downs: 'v128',
  // On the way to what is written.
  top: 'v128',
  kept: 'v128',
  result: 'v128',
} as const;

type Variables = Record<keyof typeof params | keyof typeof locals, number>;

/** How the four samples around each of four places are found. */
interface Way {
  /** Once for each four places, after `xs` and `ys` are known. */
  locate: Code;
  /** The sample at each place and its right neighbour, of the row that begins at this address. */
  pairs(row: Code): Code;
}

/** What four samples become: `found` is what the source says, in 65536ths; `fill` writes. */
type Paint = (v: Variables, use: { found(plane: number): Code; fill(samples: Code): Code }) => Code;

const numbers = i32x4.const([0, 1, 2, 3]);
const every = (value: number): Code => i32x4.const([value, value, value, value]);

/** Fills. */
const copy: Paint = (v, { found, fill }) => fill(rounded(found(v.source)));

/** Fills as far as the shares say, and leaves the rest of what was there. */
const mix: Paint = (v, { found, fill }) => {
  const change = i32x4.subtract(
    i32x4.shiftRight(found(v.source), i32.const(8)),
    i32x4.shiftLeft(before(v), i32.const(8)),
  );
  const part = i32x4.multiply(change, whole(v.shares));
  return fill(rounded(i32x4.add(i32x4.shiftLeft(before(v), i32.const(16)), part)));
};

/** Lays samples that are multiplied by their alpha over what was there. */
const cover: Paint = (v, { found, fill }) => {
  // Of 255 · 65536: as a share of 65536.
  const kept = i32x4.multiply(i32x4.shiftRight(get(v.kept), i32.const(8)), every(257));
  const left = i32x4.subtract(every(65_536), i32x4.shiftRight(kept, i32.const(8)));
  const laid = i32x4.add(found(v.source), i32x4.multiply(before(v), left));
  return together(set(v.kept, found(v.alpha)), when(v128.isAny(get(v.kept)), fill(rounded(laid))));
};

export const strokes = { copy: stroke(copy), mix: stroke(mix), cover: stroke(cover) } satisfies Record<string, Routine>;

/** A row of a frame, run by run. */
function stroke(paint: Paint): Routine {
  return routine(params, locals, (v) =>
    together(
      set(v.share, f64.divide(f64.const(1), f64.from(get(v.cell)))),
      repeatWhile(
        i32.isMore(get(v.width), i32.const(0)),
        aim(v),
        choose(isLevel(v), run(v, { way: levelWay(v), paint }), run(v, { way: anyWay(v), paint })),
        advance(v.upper, i32.const(3 * 8)),
        advance(v.lower, i32.const(3 * 8)),
        advance(v.into, get(v.cell)),
        set(v.width, i32.subtract(get(v.width), get(v.cell))),
      ),
    ),
  );
}

/** Sets the run on the line between two places of the mesh. */
function aim(v: Variables): Code {
  const place = (offset: number) => {
    const at = (row: number) => f64.load(i32.add(get(row), i32.const(8 * offset)));
    const change = f64.multiply(f64.subtract(at(v.lower), at(v.upper)), get(v.down));
    return f64.add(at(v.upper), change);
  };
  const slope = (start: number, end: Code) => f64.multiply(f64.subtract(end, get(start)), get(v.share));
  const nearest = (value: Code) => i32.from(f64.nearest(value));
  const begin = (start: number, step: number) => f64.add(get(start), f64.multiply(get(step), get(v.siting)));
  const places = (start: Code, step: number) =>
    i32x4.add(i32x4.splat(start), i32x4.multiply(numbers, i32x4.splat(get(step))));
  return together(
    set(v.x, place(0)),
    set(v.y, place(1)),
    set(v.part, place(2)),
    set(v.dx, slope(v.x, place(3))),
    set(v.dy, slope(v.y, place(4))),
    set(v.dpart, slope(v.part, place(5))),
    set(v.across, nearest(begin(v.x, v.dx))),
    set(v.along, nearest(begin(v.y, v.dy))),
    set(v.acrossStep, nearest(get(v.dx))),
    set(v.alongStep, nearest(get(v.dy))),
    set(v.shareStep, nearest(get(v.dpart))),
    set(v.xs, places(get(v.across), v.acrossStep)),
    set(v.ys, places(get(v.along), v.alongStep)),
    set(v.shares, places(nearest(begin(v.part, v.dpart)), v.shareStep)),
    set(v.at, get(v.into)),
    set(v.count, select(get(v.cell), get(v.width), i32.isLess(get(v.cell), get(v.width)))),
  );
}

/** Whether a run stays in its row of the source and four places of it lie within 16 samples: a camera that is not tilted. */
function isLevel(v: Variables): Code {
  const steps = i32.isBelow(get(v.acrossStep), i32.const(4 * 65_536));
  return i32.and(steps, i32.isZero(get(v.alongStep)));
}

function run(v: Variables, { way, paint }: { way: Way; paint: Paint }): Code {
  const stepBy4 = (step: number) => i32x4.splat(i32.multiply(get(step), i32.const(4)));
  return repeatWhile(
    i32.isMore(get(v.count), i32.const(0)),
    when(isLast(v), stayInside(v)),
    way.locate,
    paint(v, { found: (plane) => bilinear(v, plane, way), fill: (samples) => store(v, samples) }),
    set(v.xs, i32x4.add(get(v.xs), stepBy4(v.acrossStep))),
    set(v.ys, i32x4.add(get(v.ys), stepBy4(v.alongStep))),
    set(v.shares, i32x4.add(get(v.shares), stepBy4(v.shareStep))),
    advance(v.at, i32.const(4)),
    advance(v.count, i32.const(-4)),
  );
}

function isLast(v: Variables): Code {
  return i32.isLess(get(v.count), i32.const(4));
}

/** Moves places beyond the end of a run back to its last one: the source may end there. */
function stayInside(v: Variables): Code {
  const last = i32x4.splat(i32.subtract(get(v.count), i32.const(1)));
  const beyond = i32x4.subtract(numbers, i32x4.least(numbers, last));
  const back = (places: number, step: number) =>
    set(places, i32x4.subtract(get(places), i32x4.multiply(beyond, i32x4.splat(get(step)))));
  return together(back(v.xs, v.acrossStep), back(v.ys, v.alongStep));
}

/** Each place wherever it lies. */
function anyWay(v: Variables): Way {
  const each = [v.first, v.second, v.third, v.fourth];
  const from = i32x4.add(i32x4.multiply(whole(v.ys), i32x4.splat(get(v.stride))), whole(v.xs));
  return {
    locate: together(
      set(v.order, from),
      ...each.map((place, lane) => set(place, i32x4.lane(lane)(get(v.order)))),
      weigh(v),
    ),
    pairs: (row) =>
      i16x8.fromBytes(
        each.reduce((all, place, lane) => v128.load16Lane(lane)(i32.add(row, get(place)), all), every(0)),
      ),
  };
}

/** Places that are not far apart in a row: read at once, and then put in order. */
function levelWay(v: Variables): Way {
  const first = (places: number) => i32x4.lane(0)(whole(places));
  const beside = i32x4.subtract(whole(v.xs), i32x4.splat(first(v.xs)));
  // Two bytes for each: where a sample is and, one further, its neighbour.
  const both = i32x4.add(i32x4.multiply(beside, every(257)), every(256));
  return {
    locate: together(
      set(v.first, i32.add(i32.multiply(first(v.ys), get(v.stride)), first(v.xs))),
      set(v.order, both),
      set(v.order, i16x8.narrow(get(v.order), get(v.order))),
      weigh(v),
    ),
    pairs: (row) => i16x8.fromBytes(i8x16.reorder(v128.load(i32.add(row, get(v.first))), get(v.order))),
  };
}

function whole(places: number): Code {
  return i32x4.shiftRight(get(places), i32.const(16));
}

/** How much the neighbours count; to the right in pairs of 16 bits: the weight of a sample and that of its neighbour. */
function weigh(v: Variables): Code {
  const part = (places: number) => v128.and(i32x4.shiftRight(get(places), i32.const(8)), every(255));
  const left = i32x4.subtract(every(256), get(v.rights));
  return together(
    set(v.rights, part(v.xs)),
    set(v.rights, i32x4.add(left, i32x4.shiftLeft(get(v.rights), i32.const(16)))),
    set(v.downs, part(v.ys)),
  );
}

/** The four samples of a plane (its address) around each place, weighed: 65536 times what they are. */
function bilinear(v: Variables, plane: number, { pairs }: Way): Code {
  const across = (row: Code) => i32x4.dot(pairs(row), get(v.rights));
  const change = i32x4.subtract(across(i32.add(get(plane), get(v.stride))), get(v.top));
  return together(
    set(v.top, across(get(plane))),
    i32x4.add(i32x4.shiftLeft(get(v.top), i32.const(8)), i32x4.multiply(change, get(v.downs))),
  );
}

/** Four samples of the frame as they are. */
function before(v: Variables): Code {
  return i32x4.from16(i16x8.fromBytes(v128.load32(get(v.at))));
}

function rounded(value: Code): Code {
  return i32x4.shiftRight(i32x4.add(value, every(32_768)), i32.const(16));
}

/** Writes four samples, or as many as the run still has. */
function store(v: Variables, samples: Code): Code {
  const isInside = i32x4.isLess(numbers, i32x4.splat(get(v.count)));
  return together(
    set(v.result, samples),
    when(isLast(v), set(v.result, v128.select(get(v.result), before(v), isInside))),
    set(v.result, i16x8.narrow(get(v.result), get(v.result))),
    v128.store32(get(v.at), i8x16.narrow(get(v.result), get(v.result))),
  );
}

function advance(variable: number, by: Code): Code {
  return set(variable, i32.add(get(variable), by));
}
