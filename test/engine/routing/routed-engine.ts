import { onTestFinished } from 'vitest';
import type { Engine, Meter } from '#src/engine/api.js';
import { readConfig } from '#src/engine/config.js';
import { createEngine } from '#src/engine/engine.js';
import type { Job } from '#src/engine/jobs/job-store.js';
import { hasEnded } from '#src/engine/jobs/job-store.js';
import { webhookPresenter } from '#src/server/present-webhook.js';
import { FakeService, type FakeOptions } from '../../fakes/fake-service.js';
import { wires } from '../../fakes/index.js';
import { fakeKey, fakeSecret, type Wire } from '../../fakes/wire.js';
import { type InProcessRunner, inProcessRunner } from '../../helpers/in-process-runner.js';
import { tempFolder } from '../../helpers/temp-folder.js';

export interface RoutedEngine {
  engine: Engine;
  fakes: Record<string, FakeService>;
  runner: InProcessRunner;
  /** Submits a clip and waits for its end. */
  make(params: Record<string, unknown>, inputs?: { field: string; url: string }[]): Promise<Job>;
}

export interface RoutedEngineOptions {
  /** Names of fakes; each is configured as the service that it plays. */
  services: string[];
  fake?: FakeOptions;
  env?: Record<string, string>;
  folder?: string;
  meter?: Meter;
  pollSeconds?: number;
  /** Default: the key that every fake takes. */
  keys?: string[];
}

/** One pixel, as a picture of a request. */
export const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** What `DARKROOM_PROVIDERS` says of these fakes. */
export function providersJson(fakes: Record<string, FakeService>, pollSeconds = 0.005, keys = [fakeKey]): string {
  const services = Object.values(fakes).map(({ wire, url }) => [
    wire.name,
    { baseUrl: url, keys, callbackSecret: fakeSecret, pollSeconds },
  ]);
  return JSON.stringify(Object.fromEntries(services));
}

/** A real engine over fakes of services; only the work of this machine is done in process. */
export async function routedEngine({
  services,
  fake,
  env = {},
  ...options
}: RoutedEngineOptions): Promise<RoutedEngine> {
  const fakes: Record<string, FakeService> = {};
  for (const name of services) fakes[name] = await new FakeService(wires[name] as Wire, fake).start();
  const runner = inProcessRunner(2);
  const config = readConfig({
    DARKROOM_DATA: options.folder ?? (await tempFolder()),
    DARKROOM_PROVIDERS: providersJson(fakes, options.pollSeconds, options.keys),
    DARKROOM_MIN_FREE_MB: '0',
    ...env,
  });
  const engine = await createEngine(config, {
    runner,
    webhooks: webhookPresenter,
    ...(options.meter && { meter: options.meter }),
  });
  onTestFinished(async () => {
    await engine.close(0);
    await Promise.all(Object.values(fakes).map((service) => service.stop()));
  });
  return { engine, fakes, runner, make: (params, inputs = []) => make(engine, params, inputs) };
}

async function make(
  engine: Engine,
  params: Record<string, unknown>,
  inputs: { field: string; url: string }[],
): Promise<Job> {
  const { job } = await engine.submit({ operation: 'video-generation', owner: 'local', params, inputs });
  for await (const now of engine.watch(job.id)) if (hasEnded(now)) return now;
  throw new Error(`${job.id} has not ended`);
}
