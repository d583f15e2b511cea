import sharp from 'sharp';

type Vector = readonly [x: number, y: number, z: number];

/** Height, radius and pitch of the camera are those of someone who looks at a table. */
const eye: Vector = [0, 1.05, 3.6];
const pitch = 0.28;
const table = -0.71;

/** A cup with a handle and a pattern, seen from `views` sides: a PNG for each, `side` pixels wide and high. */
export function turningCup(views: number, side: number): Promise<Buffer[]> {
  return Promise.all(
    Array.from({ length: views }, (_, view) => {
      const pixels = render((2 * Math.PI * view) / views, side);
      return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
        .png()
        .toBuffer();
    }),
  );
}

function render(turn: number, side: number): Buffer {
  const pixels = Buffer.alloc(3 * side * side);
  for (let row = 0, at = 0; row < side; row++) {
    for (let column = 0; column < side; column++, at += 3) {
      const ray = unit(lowered([(column + 0.5) / side - 0.5, 0.5 - (row + 0.5) / side, -1.25]));
      const colour = seen(ray, turn);
      for (let channel = 0; channel < 3; channel++) pixels[at + channel] = Math.min(255, colour[channel] as number);
    }
  }
  return pixels;
}

/** The colour in a direction: sphere tracing (Hart 1996) until the ray meets the cup, or else the table. */
function seen(ray: Vector, turn: number): Vector {
  let far = 1.5;
  for (let step = 0; step < 90 && far < 7; step++) {
    const place = turned(along(ray, far), turn);
    const away = distanceTo(place);
    if (away < 0.001) return shaded(place, ray, turn);
    far += 0.9 * away;
  }
  const [x, , z] = along(ray, (table - eye[1]) / ray[1]);
  const shade = ray[1] < 0 ? 110 * (1 - smooth(0.3, 1.1, Math.hypot(x - 0.1, z + 0.05))) : 0;
  return [236 - shade, 236 - shade, 234 - shade];
}

function distanceTo([x, y, z]: Vector): number {
  const radius = Math.hypot(x, z);
  const outside = Math.max(radius - 0.55, Math.abs(y) - 0.68) - 0.03;
  const cup = Math.max(outside, -Math.max(radius - 0.48, -0.55 - y));
  const handle = Math.hypot(Math.hypot(x - 0.58, y) - 0.34, z) - 0.085;
  return Math.min(cup, Math.max(handle, 0.5 - radius));
}

function shaded(place: Vector, ray: Vector, turn: number): Vector {
  const normal = unit(turned(slope(place), -turn));
  const light = Math.max(0, dot(normal, [-0.45, 0.6, 0.66]));
  const shine = 70 * Math.max(0, -dot(normal, unit([ray[0] + 0.3, ray[1] - 0.45, ray[2] - 0.84]))) ** 40;
  const [red, green, blue] = paintAt(place);
  const lit = 0.35 + 0.72 * light;
  return [red * lit + shine, green * lit + shine, blue * lit + shine];
}

const glaze: Vector = [222, 84, 58];
const paints: Vector[] = [glaze, [250, 235, 200], [40, 70, 120], [235, 180, 60], glaze];

/** Tiles of several colours around the cup, none beside the same one again; white inside. */
function paintAt([x, y, z]: Vector): Vector {
  const radius = Math.hypot(x, z);
  if (radius < 0.5 && y < 0.66) return [245, 240, 230];
  if (radius < 0.53 || radius > 0.6 || Math.abs(y) > 0.42) return glaze;
  const [column, row] = [((Math.atan2(z, x) + Math.PI) / (2 * Math.PI)) * 20, (y + 0.42) / 0.12];
  const draw = (seed: number) => Math.abs(Math.sin(Math.floor(column) * seed + Math.floor(row) * 29.3) * 43_758.5) % 1;
  if (Math.hypot((column % 1) - 0.5, (row % 1) - 0.5) < 0.28 && draw(5.1) > 0.6) return [30, 40, 60];
  return paints[Math.floor(draw(17.7) * paints.length)] ?? glaze;
}

function slope([x, y, z]: Vector): Vector {
  const e = 0.002;
  return [
    distanceTo([x + e, y, z]) - distanceTo([x - e, y, z]),
    distanceTo([x, y + e, z]) - distanceTo([x, y - e, z]),
    distanceTo([x, y, z + e]) - distanceTo([x, y, z - e]),
  ];
}

function along(ray: Vector, far: number): Vector {
  return [eye[0] + ray[0] * far, eye[1] + ray[1] * far, eye[2] + ray[2] * far];
}

function lowered([x, y, z]: Vector): Vector {
  return [x, y * Math.cos(pitch) + z * Math.sin(pitch), z * Math.cos(pitch) - y * Math.sin(pitch)];
}

function turned([x, y, z]: Vector, angle: number): Vector {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return [x * cosine - z * sine, y, x * sine + z * cosine];
}

function unit(vector: Vector): Vector {
  const length = Math.hypot(...vector);
  return [vector[0] / length, vector[1] / length, vector[2] / length];
}

function dot(one: Vector, other: Vector): number {
  return one[0] * other[0] + one[1] * other[1] + one[2] * other[2];
}

function smooth(from: number, to: number, value: number): number {
  const share = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return share * share * (3 - 2 * share);
}
