import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Device, DeviceReport, TensorData } from '../../models/session.js';
import { EngineError, reviveError, type SerializedError } from '../errors.js';

/** What is run to measure a machine. */
export interface Subject {
  network: Uint8Array;
  feeds: Record<string, TensorData>;
}

/** Runs of one network by some workers at the same time, for a while. */
export interface Measurement {
  device: Device;
  workers: number;
  threads: number;
  /** How long to run; every worker makes at least one run, after another one that is not counted. */
  ms: number;
  /** Whether to find out which provider really runs the network. */
  isProfiled: boolean;
}

export interface Finding {
  /** All workers together. */
  runsPerSecond: number;
  /** The first output of one run. */
  output: TensorData;
  /** Null unless profiled. */
  report: DeviceReport | null;
}

export type ProbeCommand = { subject: Subject; measurement: Measurement };
export type ProbeAnswer = { finding: Finding } | { error: SerializedError };

/**
 * Makes the measurements one after the other in a process of their own, which is killed at the end: a provider without
 * its hardware may wait for ever or abort the process. Errors: those of the session, `timeout`, `crashed`.
 */
export async function measure(subject: Subject, measurements: Measurement[], timeoutMs: number): Promise<Finding[]> {
  const probe = fork(fileURLToPath(new URL('./entry.js', import.meta.url)), {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const findings: Finding[] = [];
    for (const measurement of measurements) {
      findings.push(await ask(probe, { subject, measurement }, timeout));
    }
    return findings;
  } finally {
    probe.kill('SIGKILL');
  }
}

function ask(probe: ReturnType<typeof fork>, command: ProbeCommand, timeout: AbortSignal): Promise<Finding> {
  return new Promise((resolve, reject) => {
    const onMessage = (answer: ProbeAnswer) => {
      settle();
      if ('error' in answer) reject(reviveError(answer.error));
      else resolve(answer.finding);
    };
    const onExit = (code: number | null, signal: string | null) => {
      settle();
      reject(new EngineError('crashed', `the runtime ended the process (${signal ?? `exit code ${code}`})`));
    };
    const onTimeout = () => {
      settle();
      reject(new EngineError('timeout', 'the runtime did not answer in time'));
    };
    const settle = () => {
      probe.off('message', onMessage).off('exit', onExit);
      timeout.removeEventListener('abort', onTimeout);
    };
    probe.on('message', onMessage).on('exit', onExit);
    timeout.addEventListener('abort', onTimeout);
    if (timeout.aborted) onTimeout();
    else probe.send(command, () => {});
  });
}
