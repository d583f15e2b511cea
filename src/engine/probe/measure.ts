import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
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

async function ask(probe: ChildProcess, command: ProbeCommand, timeout: AbortSignal): Promise<Finding> {
  const settled = new AbortController();
  const signal = AbortSignal.any([timeout, settled.signal]);
  try {
    probe.send(command, () => {});
    const answer = await Promise.race([
      once(probe, 'message', { signal }).then(([message]) => message as ProbeAnswer),
      once(probe, 'exit', { signal }).then(([code, by]) => Promise.reject(ended(by ?? `exit code ${code}`))),
    ]);
    if ('error' in answer) throw reviveError(answer.error);
    return answer.finding;
  } catch (error) {
    throw timeout.aborted ? new EngineError('timeout', 'the runtime did not answer in time') : error;
  } finally {
    settled.abort();
  }
}

function ended(how: string): EngineError {
  return new EngineError('crashed', `the runtime ended the process (${how})`);
}
