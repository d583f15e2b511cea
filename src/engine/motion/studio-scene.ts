import type { Frame, Pixels, Plane, Size } from '../media/media.js';
import { backdropRows } from '../studio/backdrop.js';
import type { Rgba } from '../studio/colour.js';
import type { Body } from './body.js';
import { Canvas } from './canvas.js';
import type { Scene } from './film.js';
import { reflectionOf, shadowOf } from './ground.js';
import { coverFrame, layerOf } from './layer.js';
import { anchored } from './framing.js';
import { drawLevel, levelOf } from './levels.js';
import { createMesh, fillMesh, type PlaceOf } from './mesh.js';
import { distance, eyeOf, meet, type Path, type Pose, rayOf } from './pose.js';
import { lookUp } from './relief.js';

/** A scene that needs nothing but time. */
export interface StudioScene extends Scene {
  draw(time: number): Frame;
}

export interface StudioSceneOptions {
  frame: Size;
  path: Path;
  body: Body;
  /** How far it comes toward the viewer at each place, in its pixels. */
  bulge: Plane;
  colour: Rgba;
  /** How far the body has turned at a moment of the shot, in radians, clockwise from above. */
  turn(time: number): number;
}

/** Of the frame: where the floor is that things stand on, and how much of it a thing may fill. */
const floor = 0.82;
const [fillAcross, fillDown] = [0.72, 0.66];

/** How much larger than the frame the backdrop is, so that a camera can move before it. */
const backdropWidth = 1.6;

/** How far behind the body the backdrop is, where 1 is the body itself. */
const backdropDepth = 1.25;

/** A picture is not cut out larger than this. */
const mostAcross = 4096;

/** Pixels between two places of the mesh: on a bulge, and on the backdrop, which is flat. */
const step = 8;
const backdropStep = 32;

/** Where a body stands: from places of the frame's plane (in frame widths) to pixels of the body. */
interface Stand {
  /** Pixels of the body for one frame width. */
  scale: number;
  /** Of its base, from the middle of the frame. */
  y: number;
}

/** A subject on a studio floor, with its shadow and its reflection, that may turn while the camera moves. */
export function openStudioScene({ frame, path, body, bulge, colour, turn }: StudioSceneOptions): StudioScene {
  const canvas = new Canvas(frame);
  const backdrop = levelOf(backdropPixels(frame, colour), canvas);
  const stand = standOf(body, frame);
  const shadow = shadowOf(body);
  const layers = {
    body: layerOf(body.pixels, canvas),
    shadow: layerOf(shadow.pixels, canvas),
    reflection: layerOf(reflectionOf(body), canvas),
  };
  const [mesh, wideMesh] = [createMesh(frame, step), createMesh(frame, backdropStep)];
  const anchor = { x: 0, y: stand.y - (body.box.bottom - body.box.top) / 2 / stand.scale };
  return {
    draw(time) {
      const see = sightOf(anchored(path(time), anchor), frame);
      const angle = turn(time);
      const lay = (layer: keyof typeof layers, placeOf: PlaceOf) => {
        fillMesh(mesh, placeOf);
        coverFrame(layers[layer], canvas, mesh);
      };
      fillMesh(wideMesh, backdropPlaces(see, frame));
      drawLevel(backdrop, canvas, { mesh: wideMesh });
      const standing = { body, bulge, stand, angle, see };
      lay('reflection', bodyPlaces(standing, { isMirrored: true }));
      lay('shadow', shadowPlaces(shadow, standing));
      lay('body', bodyPlaces(standing, { isMirrored: false }));
      return canvas.frame;
    },
  };
}

/** The size at which a picture is to be cut out so that its subject, `share` of its width and height, has a sample for each pixel. */
export function bodySize(picture: Size, share: Size, frame: Size): Size {
  const wide = (fillAcross * frame.width) / (share.width * picture.width);
  const tall = (fillDown * frame.height) / (share.height * picture.height);
  const factor = Math.min(wide, tall, mostAcross / Math.max(picture.width, picture.height));
  return {
    width: Math.max(1, Math.round(picture.width * factor)),
    height: Math.max(1, Math.round(picture.height * factor)),
  };
}

function standOf({ box }: Body, { width, height }: Size): Stand {
  const across = (box.right - box.left) / fillAcross;
  const tall = ((box.bottom - box.top) * width) / (fillDown * height);
  return { scale: Math.max(across, tall), y: ((floor - 0.5) * height) / width };
}

/** A paper sweep larger than the frame; it is smooth, so half the samples do. */
function backdropPixels({ width, height }: Size, colour: Rgba): Pixels {
  const size = { width: Math.round((width * backdropWidth) / 2), height: Math.round((height * backdropWidth) / 2) };
  const rows = backdropRows({ kind: 'studio', colour, horizon: 0.5 + (floor - 0.5) / backdropWidth }, size);
  return rows(0, size.height);
}

/** What a camera sees at a place of its frame, at some depth: in frame widths. */
type Sight = (x: number, y: number, depth: number) => readonly [x: number, y: number];

function sightOf(pose: Pose, { width, height }: Size): Sight {
  const [eye, ray] = [eyeOf(pose), rayOf(pose)];
  return (x, y, depth) => meet(eye, ray(x / width - 0.5, (y - height / 2) / width), depth);
}

function backdropPlaces(see: Sight, { width, height }: Size): PlaceOf {
  const size = backdropDepth * backdropWidth;
  return (x, y, place) => {
    const [across, down] = see(x, y, distance * backdropDepth);
    place[0] = 0.5 + across / size;
    place[1] = 0.5 + (down * width) / height / size;
  };
}

interface Turned {
  angle: number;
  see: Sight;
  /** Where, in frame widths, the floor is. */
  floor: number;
  /** How near the place that was found last is, in frame widths. */
  depth(): number;
  /** Takes a place of the turned thing as the camera that took its picture saw it: in frame widths, down from the floor. */
  locate(across: number, down: number): void;
}

/**
 * Follows the ray of a pixel to a thing that is turned about an upright axis and whose depth varies from place to place.
 * Seen straight on it looks as in its picture. Its slopes are gentle, so six rounds settle where the ray meets it.
 */
function follow(x: number, y: number, { angle, see, floor, depth, locate }: Turned): void {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  let [across, near] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const [aside, down] = see(x, y, distance - near * cosine + across * sine);
    across = (aside - near * sine) / cosine;
    const seen = distance / (distance - near);
    locate(across * seen, (down - floor) * seen);
    near = depth();
  }
}

const rounds = 6;

interface Standing {
  body: Body;
  bulge: Plane;
  stand: Stand;
  angle: number;
  see: Sight;
}

function bodyPlaces({ body, bulge, stand, angle, see }: Standing, { isMirrored }: { isMirrored: boolean }): PlaceOf {
  const { width, height } = body.alpha;
  const bulgeAt = lookUp(bulge);
  const middle = (body.box.left + body.box.right) / 2;
  const axis = deepest(bulge) / 2;
  const up = isMirrored ? -1 : 1;
  return (x, y, place) =>
    follow(x, y, {
      angle,
      see,
      floor: stand.y,
      depth: () => (bulgeAt(place[0], place[1]) - axis) / stand.scale,
      locate(across, down) {
        place[0] = (middle + across * stand.scale) / width;
        place[1] = (body.box.bottom + up * down * stand.scale) / height;
      },
    });
}

/** The shadow lies where the body stands, which is a line as deep as the body at its base. */
function shadowPlaces(
  { pixels, line }: ReturnType<typeof shadowOf>,
  { body, bulge, stand, angle, see }: Standing,
): PlaceOf {
  const { width, height } = pixels;
  const base = lookUp(bulge)(0.5, (body.box.bottom - 1) / body.alpha.height);
  const near = (base - deepest(bulge) / 2) / stand.scale;
  return (x, y, place) =>
    follow(x, y, {
      angle,
      see,
      floor: stand.y,
      depth: () => near,
      locate(across, down) {
        place[0] = 0.5 + (across * stand.scale) / width;
        place[1] = (line + down * stand.scale) / height;
      },
    });
}

function deepest({ data }: Plane): number {
  return data.reduce((most, value) => Math.max(most, value), 0);
}
