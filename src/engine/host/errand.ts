import type { EngineError } from '../errors.js';
import type { HostProcess } from './host-process.js';
import type { HostCommand, Progress, Whereabouts } from '../task.js';

type ErrandCommand = Extract<HostCommand, { type: 'run' | 'inspect' }>;

/** Something a host process is to do, from the call until its promise settles; more than one host may have held it. */
export class Errand {
  readonly command: ErrandCommand;
  readonly onProgress: (progress: Progress) => void;
  readonly result: Promise<unknown>;
  /** Null while it waits for a host. */
  host: HostProcess | null = null;
  /** Null: the host has not said anything of it yet. */
  where: Whereabouts | null = null;
  /** How many hosts it was given to. */
  deliveries = 0;
  /** Set when it is asked to stop: the error that it then ends with, unless it ends otherwise first. */
  stopped: EngineError | null = null;
  /** It was asked to stop and did not within the kill delay. */
  isOverdue = false;
  killTimer: NodeJS.Timeout | undefined;
  resolve: (value: unknown) => void = () => {};
  reject: (error: unknown) => void = () => {};

  constructor(command: ErrandCommand, onProgress: (progress: Progress) => void = () => {}) {
    this.command = command;
    this.onProgress = onProgress;
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  get id(): string {
    return this.command.type === 'run' ? this.command.task.id : this.command.id;
  }

  deliverTo(host: HostProcess): void {
    this.host = host;
    this.where = null;
    this.deliveries += 1;
  }

  /** The host gave it back unbegun: as if it had never been there. */
  forget(): void {
    this.where = null;
    this.deliveries -= 1;
  }

  /** Whether another host can take it over without anyone noticing: it has touched nothing, or only reads. */
  get canMove(): boolean {
    if (this.command.type === 'inspect') return this.deliveries < 2;
    const hasBegun = this.where === 'running' || this.where === 'loading';
    return !hasBegun && this.deliveries < 3;
  }
}
