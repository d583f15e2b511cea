import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Engine } from '../engine/api.js';
import { type Config, ConfigError } from '../engine/config.js';
import type { DarkroomServer } from './server.js';

/** Listens where the settings say; returns the URL. Throws ConfigError when that address can't be had. */
export async function listen(server: DarkroomServer, config: Config): Promise<string> {
  const { DARKROOM_HOST: host, DARKROOM_PORT: port } = config;
  try {
    return await server.listen(port, host);
  } catch (error) {
    throw explain(error as NodeJS.ErrnoException, { host, port });
  }
}

function explain(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): Error {
  const another = 'set DARKROOM_PORT to another one (0 picks a free one)';
  switch (error.code) {
    case 'EADDRINUSE':
      return new ConfigError(
        `DARKROOM_PORT: ${port} is in use on ${host}. Stop the program that uses it, or ${another}`,
      );
    case 'EACCES':
      return new ConfigError(`DARKROOM_PORT: this user may not listen on port ${port}; ${another}`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigError(`DARKROOM_HOST: ${host} is not an address of this machine`);
    default:
      return error;
  }
}

/** Makes a key where there is none yet, and shows it: the only time that it can be seen. */
export async function announceFirstKey(
  keys: Engine['keys'],
  print = (text: string): unknown => process.stdout.write(text),
): Promise<void> {
  if ((await keys.count()) > 0) return;
  const { secret } = await keys.create('first start');
  print(`API key, shown only now: ${secret}\n`);
}

export interface Running {
  engine: Engine;
  server: DarkroomServer;
  log: Logger;
  /** How long running jobs may go on. */
  graceMs: number;
}

/** Ends the program in order at the first SIGTERM or SIGINT; a second one ends it at once. */
export function stopOnSignal(running: Running): void {
  const stop = (signal: NodeJS.Signals) => {
    running.log.info({ signal }, 'Stopping');
    // Without our listeners the next signal does what it does to any program.
    process.off('SIGTERM', stop).off('SIGINT', stop);
    shutDown(running).then(
      () => process.exit(0),
      (err: Error) => {
        running.log.error({ err }, 'Stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

/**
 * Claims nothing more and says so on `/ready` while running jobs end and their callers get their answers, then closes
 * the server and gives back what still runs.
 */
export async function shutDown({ engine, server, graceMs }: Omit<Running, 'log'>): Promise<void> {
  const deadline = performance.now() + graceMs;
  engine.drain();
  while (performance.now() < deadline && (await engine.status()).queue.states.running > 0) await sleep(100);
  await server.close();
  await engine.close(Math.max(0, deadline - performance.now()));
}
