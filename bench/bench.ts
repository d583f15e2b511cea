/** What one run of one variant, in a fresh process, measured. */
export interface Measurement {
  /** In the unit of the case. */
  value: number;
  /** Digest or figure of what was made; a comparison fails when it differs between variants that must agree. */
  check: string;
  /** Further figures worth printing. */
  more?: Record<string, number | string>;
}

/** What was measured, by variant. */
export type Measured = ReadonlyMap<string, readonly Measurement[]>;

/** One question, answered by variants that are measured alternately, each in a process of its own. */
export interface Case {
  name: string;
  /** The question in words, with the unit of the value. */
  question: string;
  unit: string;
  /** In the order of a comparison: the first is held against the second. */
  variants: Record<string, () => Promise<Measurement>>;
  /** How the first is compared with the second; default `ratio`, which says nothing of decibels. */
  comparison?: 'ratio' | 'difference';
  /** How often each variant runs; the first round is warm-up and is not counted, unless it is the only one. */
  rounds: number;
  /** Whether all variants must give the same `check`. */
  mustAgree: boolean;
  /** Why this can't be measured here, such as material that is missing; null if it can. */
  obstacle?(): string | null;
  /** For a bench of quality: one phrase for each model, for the README's table. */
  quality?(measured: Measured): Record<string, string>;
  /** What the comparison (or, with one variant, the value) is held against. */
  target?: { text: string; holds(figure: number, measured: Measured): boolean };
}

/** A further figure of a variant, the same in every round or of the first one. */
export function figureOf(measured: Measured, variant: string, name: string): number {
  return Number(measured.get(variant)?.[0]?.more?.[name]);
}
