/** How one attempt of a backend went. */
export interface BackendOutcome {
  backend: string;
  /** Id of the job. */
  job: string;
  isSuccess: boolean;
  /** How long it took. */
  ms: number;
}

/** What is known of a backend from its latest outcomes. */
export interface BackendRecord {
  backend: string;
  outcomes: number;
  successes: number;
  /** Mean milliseconds of the successes; null without any. */
  meanMs: number | null;
  /** How many users have said something of a result, and their mean, 0..1; null without any. */
  ratings: number;
  meanRating: number | null;
}

/** What became of the work of each backend, kept so that a restart forgets nothing. */
export interface OutcomeStore {
  record(outcome: BackendOutcome): Promise<void>;
  /** What the user thought of the result of this job, 0..1; false if no backend's success is known for it. */
  rate(job: string, rating: number): Promise<boolean>;
  /** One record for each backend, from its latest 200 outcomes of the last 30 days. */
  records(): Promise<BackendRecord[]>;
}
