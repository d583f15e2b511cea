import type { Job } from '../jobs/job-store.js';
import type { Outcome } from '../operations/operation.js';
import { type Needs, type NeedValue, type Order, widerNeeds } from './order.js';
import type { CallLedger } from '../remote/calls.js';
import type { Progress } from '../task.js';

/** What a backend takes for one need: one of these values, a number of this range, or whatever comes. */
export type Capability = readonly NeedValue[] | { min: number; max: number } | 'any';

/** By the names of the needs. What a backend does not mention, it cannot do. */
export type Capabilities = Readonly<Record<string, Capability>>;

/** What of a backend can be a default of this program, or said by its owner. */
export type Settled = 'price' | 'capabilities';

/** One attempt of one backend at a job. */
export interface BackendRun {
  job: Job;
  order: Order;
  /** Local paths per input field. */
  inputs: Record<string, string[]>;
  /** The same files in the order of the job's inputs. */
  inputFiles: readonly { path: string; contentType: string }[];
  /** What the job has been sent to so far; its own state, for backends elsewhere. */
  ledger: CallLedger;
  /** Folder for what is made; removed by whoever made it. */
  folder: string;
  /** Aborted with an EngineError: `cancelled`, `timeout`, or `interrupted` when the work goes on elsewhere or later. */
  signal: AbortSignal;
  /** When the attempt has to be over, in milliseconds since the epoch. */
  deadline: number;
  onProgress(progress: Progress): void;
  /** Called when the runner of this machine has the job and counts it from then on. */
  onStarted(): void;
}

/** What an attempt gives back. */
export type Made = Outcome;

/** Something that can do an operation, on this machine or elsewhere: the router does not know which. */
export interface Backend {
  /** Unique: `kling/kling-o3-pro-i2v`. */
  id: string;
  /** Who does it: `kling`, `fal`, `local` … */
  provider: string;
  /** The operation that it serves. */
  operation: string;
  /** Its concrete name, shown as `model_actual`: `kling-o3-pro-i2v`. */
  model: string;
  /** Every name under which a request can ask for it, such as `kling-o3-pro`. */
  names: readonly string[];
  capabilities: Capabilities;
  /** Credits for one job. */
  price: number;
  /** What of it is a default of this program that its owner has not said. */
  defaults: readonly Settled[];
  /** Whether taking a job costs the owner money, so that it must never take the same job twice. */
  isPaid: boolean;
  /** Tried after all others, unless it is asked for by name. */
  isLastResort: boolean;
  /** Why it can't be used with these settings, in a sentence; null if it can. */
  problem: string | null;
  /** Does the job. Errors: ProviderFailure, which says what the router is to do, and EngineErrors of the operation. */
  run(run: BackendRun): Promise<Made>;
}

/** Why a backend with these capabilities can't meet the needs, in words; null if it can. */
export function misfit(capabilities: Capabilities, needs: Needs): string | null {
  for (const [need, value] of Object.entries(needs)) {
    const able = capabilities[need] ?? capabilities[widerNeeds[need] ?? need];
    if (able === undefined) return `it has no \`${need}\``;
    if (able !== 'any' && !covers(able, value)) return `\`${need}\` is ${value}, and it takes ${describe(able)}`;
  }
  return null;
}

function covers(able: Exclude<Capability, 'any'>, value: NeedValue): boolean {
  if (isRange(able)) return typeof value === 'number' && value >= able.min && value <= able.max;
  return able.includes(value);
}

function describe(able: Exclude<Capability, 'any'>): string {
  return isRange(able) ? `${able.min}..${able.max}` : able.join(', ');
}

function isRange(able: Exclude<Capability, 'any'>): able is { min: number; max: number } {
  return 'min' in able;
}
