import type { Size } from '../media/media.js';

/** A length in pixels, or a share (0..1) of something whose length is known later. */
export type Length = { unit: 'px'; value: number } | { unit: 'share'; value: number };

/** Of the four sides of a rectangle, in the order of CSS. */
export type Sides<Value> = readonly [top: Value, right: Value, bottom: Value, left: Value];

/** A place on two axes, 0..1: 0 is left or top. */
export interface Place {
  x: number;
  y: number;
}

/** A length such as `30px`, `30` or `5%`; null for anything else and for one that is longer than the limits. */
export function parseLength(text: string, limits: { px: number; percent: number }): Length | null {
  const [, digits, unit = 'px'] = /^(\d+(?:\.\d+)?)(px|%)?$/.exec(text.trim()) ?? [];
  if (digits === undefined) return null;
  const value = Number(digits);
  if (unit === '%') return value <= limits.percent ? { unit: 'share', value: value / 100 } : null;
  return value <= limits.px ? { unit: 'px', value } : null;
}

/** One length for all sides, two for vertical and horizontal, or four as in CSS; null for anything else. */
export function parseSides(text: string, limits: { px: number; percent: number }): Sides<Length> | null {
  const lengths = words(text).map((word) => parseLength(word, limits));
  if (lengths.some((length) => length === null)) return null;
  const [first, second, third, fourth] = lengths as Length[];
  if (first === undefined) return null;
  if (lengths.length === 1) return [first, first, first, first];
  if (lengths.length === 2 && second) return [first, second, first, second];
  if (lengths.length === 4 && second && third && fourth) return [first, second, third, fourth];
  return null;
}

/** The lengths of the sides in pixels around or inside of something of this size. */
export function sidesInPixels([top, right, bottom, left]: Sides<Length>, { width, height }: Size): Sides<number> {
  return [inPixels(top, height), inPixels(right, width), inPixels(bottom, height), inPixels(left, width)];
}

/** One share for both axes or two, horizontal first: `50%`, `20% 80%`; null for anything else. */
export function parsePlace(text: string): Place | null {
  const shares = words(text).map((word) => parseLength(word, { px: -1, percent: 100 }));
  if (shares.length < 1 || shares.length > 2 || shares.some((share) => share === null)) return null;
  const [x, y = x] = shares as Length[];
  return x && y ? { x: x.value, y: y.value } : null;
}

/** Four lengths: left, top, right and bottom of a rectangle; null for anything else or for one without area. */
export function parseRegion(text: string, limits: { px: number }): Sides<Length> | null {
  const [left, top, right, bottom, ...more] = words(text).map((word) => parseLength(word, { ...limits, percent: 100 }));
  if (!left || !top || !right || !bottom || more.length > 0) return null;
  const isEmpty = (from: Length, to: Length) => from.unit === to.unit && from.value >= to.value;
  return isEmpty(left, right) || isEmpty(top, bottom) ? null : [top, right, bottom, left];
}

function inPixels({ unit, value }: Length, whole: number): number {
  return unit === 'px' ? value : value * whole;
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}
