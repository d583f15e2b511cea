import type { Capabilities, Settled } from '../routing/backend.js';
import type { ProviderFailure } from '../routing/failure.js';
import type { NeedValue, Order, PictureRole } from '../routing/order.js';

/** One account at a service. Only `name` may be logged or stored. */
export interface Credential {
  /** Tells accounts apart without giving anything away. */
  name: string;
  /** The API key; empty where a pair is used instead. */
  key: string;
  accessKey?: string;
  secretKey?: string;
}

/** One line of a service's table of models: what it is called here and there, and what it can do. */
export interface ModelRow {
  operation: 'video-generation' | 'image-generation' | 'image-edit';
  /** Its concrete name here: `kling-o3-pro-i2v`. */
  model: string;
  /** Other names under which a request can ask for it. */
  names: readonly string[];
  /** What the service calls it. */
  upstream: string;
  capabilities: Capabilities;
  /** Credits for one job. */
  price: number;
  /** What of it the owner has said; the rest is what this program takes for true, which a service may have changed since. */
  settled?: readonly Settled[];
  /** What this model needs to be told beside the order, in the words of its provider's file. */
  options?: Readonly<Record<string, NeedValue>>;
}

/** A picture of the request, at hand. */
export interface Picture {
  role: PictureRole;
  contentType: string;
  bytes: Buffer;
  /** Where the service could fetch it; null if it can't be reached from outside. */
  url: string | null;
}

/** One job as a provider gets it. */
export interface Assignment {
  order: Order;
  pictures: readonly Picture[];
  row: ModelRow;
  /** Our own name of this very submission, for services that take one. */
  externalId: string;
  /** Where the service may tell us of its progress; null if we can't be reached. */
  callbackUrl: string | null;
}

/** One request to the service; `path` begins with a slash and is put after the base URL. */
export interface ApiCall {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  json?: unknown;
  form?: FormData;
}

/** The request that submits a job, and what of the order it could not say, in words. */
export interface Submission extends ApiCall {
  method: 'POST';
  warnings: string[];
}

/** What came back. */
export interface ApiAnswer {
  status: number;
  /** By lower-case name. */
  headers: Record<string, string>;
  /** The body as JSON; undefined if it is none. */
  json: unknown;
  body: Buffer;
}

/** The way to the service, with its key and its base URL already in it. */
export interface Api {
  /**
   * Sends one request, once. Errors: ProviderFailure, by what the service says (`explain`) or by the status. `path` may
   * also be an address that the service named, if it is on the origin of the base URL: the key goes nowhere else.
   */
  send(call: ApiCall): Promise<ApiAnswer>;
}

/** How a job can be found again; kept with the job. */
export interface Ticket {
  /** The service's own id of the job. */
  id: string;
  /** The path that it was submitted to. */
  path: string;
  /** Addresses that the service named for it. */
  urls?: Readonly<Record<string, string>>;
}

/** A result as the service hands it over. */
export type RemoteFile =
  /** `withKey`: it lies on the service itself, which wants to see the key. */
  { url: string; withKey?: boolean } | { bytes: Buffer };

/** What a service says of a job that it has. A job that failed is a ProviderFailure instead. */
export type Progress =
  /** `fraction` 0..1 where the service says it; `isHeld`: taken, but waiting for its turn. */
  { state: 'waiting'; fraction?: number; isHeld?: boolean } | { state: 'done'; files: RemoteFile[] };

/** What a service makes of a submission: a ticket, or the result at once. */
export type Acceptance = { ticket: Ticket } | { files: RemoteFile[] };

/** What a service's call to us consists of. */
export interface Callback {
  /** By lower-case name. */
  headers: Record<string, string | undefined>;
  body: Buffer;
}

export interface CallbackContext {
  /** The secret that the service signs with, where it has one. */
  secret: string | null;
  now: number;
  /** Fetches a public document of the service, such as its signing keys. */
  fetchJson(url: string): Promise<unknown>;
}

/** What each provider's file says: everything there is to know about one service, and nothing of the router. */
export interface Provider {
  /** As in settings and in `provider_actual`: `kling`. */
  name: string;
  /** What people call it. */
  title: string;
  /** Default; empty where there is none and the owner has to say it. */
  baseUrl: string;
  rows: readonly ModelRow[];
  /** Milliseconds between two looks at a job. */
  pollMs: number;
  /** How long the answer to a submission may take. Default 60 s. */
  submitMs?: number;
  /** Whether a failed submission (5xx) is known not to be billed, so that it can be repeated. Default: nobody knows. */
  isFailureFree?: boolean;
  /** Headers that prove who we are. */
  authorize(credential: Credential, now: number): Record<string, string> | Promise<Record<string, string>>;
  /** The request that submits a job. Errors: ProviderFailure `invalid` for what can't be said to this service. */
  submission(assignment: Assignment): Submission;
  /** What the answer to it means. Errors: ProviderFailure. */
  accept(answer: ApiAnswer, submission: Submission): Acceptance;
  /** How the job is doing. Errors: ProviderFailure: of the job if `isAccepted`, otherwise of the question. */
  poll?(ticket: Ticket, api: Api): Promise<Progress>;
  /** Asks the service to stop. */
  cancel?(ticket: Ticket, api: Api): Promise<void>;
  /** The job that was submitted under this name of ours; null if the service does not know it. */
  find?(externalId: string, path: string, api: Api): Promise<Ticket | null>;
  /** What an answer that is no success means, where its body says more than its status; null otherwise. */
  explain?(answer: ApiAnswer): ProviderFailure | null;
  /** Whether a call to us came from this service. Without it its calls are only told by their secret address. */
  verify?(callback: Callback, context: CallbackContext): boolean | Promise<boolean>;
}
