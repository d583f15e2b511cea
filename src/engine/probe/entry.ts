// Entry of the process that measures, and of its threads: the only place beside the workers that loads the runtime.
// The process runs nothing in its main thread, so that it hears the end of its parent even when the runtime hangs.
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { createSession, verifyDevice } from '../../models/session.js';
import { EngineError, reviveError, type SerializedError, serializeError } from '../errors.js';
import type { Finding, ProbeAnswer, ProbeCommand } from './measure.js';

type Note =
  | { type: 'warm'; output: Finding['output']; report: Finding['report'] }
  | { type: 'measured'; runsPerSecond: number }
  | { type: 'failed'; error: SerializedError };

if (isMainThread) answerParent();
else await runInThread(workerData as ProbeCommand);

function answerParent(): void {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.on('message', async (command) => {
    const answer = await answerTo(command as ProbeCommand).catch((error) => ({ error: serializeError(error) }));
    process.send?.(answer satisfies ProbeAnswer);
  });
}

async function answerTo(command: ProbeCommand): Promise<ProbeAnswer> {
  const threads = Array.from({ length: command.measurement.workers }, () => {
    return new Worker(fileURLToPath(import.meta.url), { workerData: command });
  });
  const ended = threads.map((thread) => once(thread, 'exit'));
  const warm = await Promise.all(threads.map((thread) => hear(thread, 'warm')));
  // All begin together: what is measured is how they share the machine.
  for (const thread of threads) thread.postMessage('begin');
  const rates = await Promise.all(threads.map((thread) => hear(thread, 'measured')));
  await Promise.all(ended);
  const [first] = warm;
  if (!first) throw new EngineError('internal', 'Expected at least one worker to measure');
  const runsPerSecond = rates.reduce((sum, rate) => sum + rate.runsPerSecond, 0);
  return { finding: { runsPerSecond, output: first.output, report: first.report } };
}

function hear<Type extends Note['type']>(thread: Worker, type: Type): Promise<Extract<Note, { type: Type }>> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('message', (note: Note) => {
      if (note.type === type) resolve(note as Extract<Note, { type: Type }>);
      else reject(note.type === 'failed' ? reviveError(note.error) : new Error(`Expected ${type}, got ${note.type}`));
    });
  });
}

async function runInThread({ subject, measurement }: ProbeCommand): Promise<void> {
  const post = (note: Note) => parentPort?.postMessage(note);
  const { device, threads, ms, isProfiled } = measurement;
  try {
    const session = await createSession(subject.network, { device, threads });
    const [output] = Object.values(await session.run(subject.feeds));
    if (!output || !parentPort) throw new EngineError('internal', 'The network has no output');
    const profile = { feeds: subject.feeds, folder: tmpdir() };
    post({ type: 'warm', output, report: isProfiled ? await verifyDevice(subject.network, device, profile) : null });
    await once(parentPort, 'message');
    const runsPerSecond = await rateOf(() => session.run(subject.feeds), ms);
    await session.release();
    post({ type: 'measured', runsPerSecond });
  } catch (error) {
    post({ type: 'failed', error: serializeError(error) });
  }
}

async function rateOf(run: () => Promise<unknown>, ms: number): Promise<number> {
  const begin = performance.now();
  let runs = 0;
  do {
    await run();
    runs += 1;
  } while (performance.now() - begin < ms);
  return (runs * 1000) / (performance.now() - begin);
}
