import type { Job } from '../jobs/job-store.js';

/** What there is to say of a cut-out, so that a person need only look at the doubtful ones. */
export interface Verdict {
  /** Share of the picture that is kept, 0..1. */
  coverage: number;
  /** Whether the subject is cut off by a side of the picture. */
  touches_edge: boolean;
  /** Openings inside of the subject. */
  holes: number;
  /** Mean width in pixels of the soft zone between kept and removed: 1 is as sharp as pixels allow. */
  edge_softness: number;
  /** How much of the background's colour is left along the edges, 0..1. */
  halo: number;
  /** How likely it is that nobody will object, 0..1. */
  confidence: number;
  /** Why someone should look at it, one sentence each; empty when nothing was noticed. */
  warnings: string[];
}

/** Below this confidence a result is doubtful even when nothing else was noticed. */
const doubtfulBelow = 0.7;

/** The verdict in the result of a job; null if its operation gives none or it has not ended well. */
export function verdictOf({ result }: Pick<Job, 'result'>): Verdict | null {
  return (result?.facts.quality as Verdict | undefined) ?? null;
}

/** Whether a person should look at this result. */
export function isDoubtful({ confidence, warnings }: Verdict): boolean {
  return warnings.length > 0 || confidence < doubtfulBelow;
}
