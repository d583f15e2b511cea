/** One request as a fake received it. */
export interface Received {
  method: string;
  /** Without the query. */
  path: string;
  query: Record<string, string>;
  /** By lower-case name. */
  headers: Record<string, string>;
  /** The body as JSON; null if it is none. */
  json: Record<string, unknown> | null;
  /** The parts of a form: text as it is, a file as its name, type and size. */
  form: Record<string, string> | null;
}

export interface Reply {
  status: number;
  json?: unknown;
  headers?: Record<string, string>;
}

/** Why a service does not take a job. */
export type Refusal = 'capacity' | 'content' | 'budget' | 'auth' | 'invalid';

/** How a job that was taken ends. */
export type Outcome = 'done' | 'failed' | 'content' | 'capacity' | 'empty';

/** A job that the service has taken, and bills. */
export interface FakeJob {
  id: string;
  externalId: string | null;
  callbackUrl: string | null;
  state: 'queued' | 'running' | 'ended' | 'cancelled';
  outcome: Outcome;
  /** Where its result lies. */
  resultUrl: string;
  submitted: Received;
}

/** What a request about jobs can see. */
export interface Desk {
  /** Start of our own addresses. */
  base: string;
  /** The job with this id, moved on by one look; undefined if there is none. */
  look(id: string): FakeJob | undefined;
  /** The job that was submitted under this name, without moving it. */
  named(externalId: string): FakeJob | undefined;
  cancel(id: string): FakeJob | undefined;
  /** The bytes of a result. */
  result: Buffer;
}

/** What tells one service from another on the wire. */
export interface Wire {
  /** As the provider's name. */
  name: string;
  /** What it makes. */
  makes: 'clip' | 'picture';
  /** Keys that it knows; anything else is refused. */
  isAuthorized(request: Received, clock: number): boolean | Promise<boolean>;
  /** The job that a request submits; null if it is no submission. */
  submission(request: Received): Pick<FakeJob, 'externalId' | 'callbackUrl'> | null;
  /** Why the service says no before it takes a job, in its own words; null if the request is sound. */
  complaint?(request: Received): Reply | null;
  accepted(job: FakeJob, desk: Desk): Reply;
  refused(refusal: Refusal): Reply;
  /** Everything that is no submission and no result. */
  answer(request: Received, desk: Desk): Reply | null;
  /** Its call to us when a job has ended. */
  callback?(job: FakeJob, at: number): { headers: Record<string, string>; body: string };
}

/** The key that every fake takes. */
export const fakeKey = 'fake-key-of-a-test';
/** The secret that fakes sign their calls with, where the service has one. */
export const fakeSecret = `whsec_${Buffer.from('a secret of a test').toString('base64')}`;

export function bearer(request: Received): boolean {
  return request.headers.authorization === `Bearer ${fakeKey}`;
}

/** The last part of a path. */
export function lastOf(path: string): string {
  return decodeURIComponent(path.split('/').at(-1) ?? '');
}

export function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
