/** What was found out about one thing that the program needs. */
export interface Finding {
  /** A short name: `disk`, `ffmpeg` … */
  topic: string;
  /** `bad`: work fails; `fair`: something can't be done, or less well. */
  state: 'good' | 'fair' | 'bad';
  says: string;
  /** What to do about it; null where nothing need be done. */
  next: string | null;
}

/** A finding that all is well. */
export function good(topic: string, says: string): Finding {
  return { topic, state: 'good', says, next: null };
}

/** A finding with what helps. */
export function lack(topic: string, state: 'fair' | 'bad', { says, next }: { says: string; next: string }): Finding {
  return { topic, state, says, next };
}
