/** What one run of one variant, in a fresh process, measured. */
export interface Measurement {
  /** In the unit of the case. */
  value: number;
  /** Digest or figure of what was made; a comparison fails when it differs between variants that must agree. */
  check: string;
  /** Further figures worth printing. */
  more?: Record<string, number | string>;
}

/** One question, answered by variants that are measured alternately, each in a process of its own. */
export interface Case {
  name: string;
  /** The question in words, with the unit of the value. */
  question: string;
  unit: string;
  /** In the order of a ratio: the first is divided by the second. */
  variants: Record<string, () => Promise<Measurement>>;
  /** How often each variant runs; the first round is warm-up and is not counted. */
  rounds: number;
  /** Whether all variants must give the same `check`. */
  mustAgree: boolean;
  /** For a bench of quality: one phrase for each model, for the README's table. */
  quality?(measured: Map<string, Measurement[]>): Record<string, string>;
  /** What the ratio (or, with one variant, the value) is held against. */
  target?: { text: string; holds(ratio: number): boolean };
}
