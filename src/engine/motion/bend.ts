/**
 * Where a place of what is seen between two views (in fractions of width and height) lies in one of them: how far across and
 * down from there; and, of the later view, how much of it is seen there (0..1).
 */
export type Bend = (x: number, y: number) => readonly [across: number, down: number, share: number];

/** What is seen some share of the way from one view to the next: both of them, bent. */
export interface Bends {
  one: Bend;
  next: Bend;
}

/** The part of the way from view to view during which both are seen; before and after it is one alone, bent. */
const fading = 0.6;

/** How much of the later view is seen, `share` (0..1) of the way to it. */
export function fadeAt(share: number): number {
  return Math.min(Math.max((share - 0.5) / fading + 0.5, 0), 1);
}
