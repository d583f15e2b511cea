// Entry of the host process: owns the threads in which everything native happens, and loads none of it itself, so that
// this thread always hears its parent.
import { availableCores } from './cores.js';
import { decideDevice } from './device.js';
import { serializeError } from '../errors.js';
import type { HostSettings } from './host-settings.js';
import { decideLayout } from './layout.js';
import { Pool } from './pool.js';
import type { HostCommand, HostEvent, HostFacts } from '../task.js';

let pool: Pool | null = null;

// The parent is gone, perhaps killed: nobody is left to work for, and a thread inside the runtime would hold up any
// gentler end.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('uncaughtException', (error) => {
  process.stderr.write(`The host process failed: ${error.stack}\n`);
  process.kill(process.pid, 'SIGKILL');
});
// A terminal or a service manager signals the whole group; when to end is the parent's decision.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('message', (command) => void obey(command as HostCommand));

function emit(event: HostEvent, then: () => void = () => {}): void {
  if (process.connected) process.send?.(event, undefined, undefined, then);
}

async function obey(command: HostCommand): Promise<void> {
  if (command.type === 'start') await start(command.settings);
  else if (command.type === 'close') await end();
  else if (command.type === 'run') pool?.run(command.task);
  else if (command.type === 'inspect') await pool?.inspect(command.id, command.path, command.param);
  else if (command.type === 'abort') pool?.abort(command.id, command.reason);
  else pool?.surrender();
}

async function start(settings: HostSettings): Promise<void> {
  try {
    emit({ type: 'ready', facts: await open(settings) });
  } catch (error) {
    emit({ type: 'unusable', error: serializeError(error) }, () => process.exit(1));
  }
}

async function open(settings: HostSettings): Promise<HostFacts> {
  const cores = availableCores();
  const { device, reason } = await decideDevice(settings);
  const { workers, threads } = await decideLayout(settings, device, cores);
  const cpuWorkers = cores > 2 ? 2 : 1;
  const mediaWorkers = Math.max(1, Math.floor(cores / 4));
  pool = new Pool({ settings, device, workers, threads, cpuWorkers, mediaWorkers, emit });
  await pool.started();
  // One picture more than the runtime takes: it is decoded or encoded while the others are run.
  const slots = { device: workers + 1, cpu: cpuWorkers, media: mediaWorkers, remote: 0 };
  return { pid: process.pid, device, deviceReason: reason, workers, threads, slots };
}

/** Exits when no thread is inside the runtime any more; if that takes too long, the parent kills. */
async function end(): Promise<void> {
  await pool?.close();
  process.exit(0);
}
