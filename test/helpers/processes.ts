import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition holds; fails after `deadlineMs`. */
export async function until(condition: () => boolean, deadlineMs = 20_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Still not so after ${deadlineMs} ms: ${condition}`);
    await sleep(5);
  }
}

/** Whether the process is there and has not ended; one that nobody has asked after its end yet counts as ended. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || !/^\d+ \(.*\) [ZX]/s.test(statusOf(pid));
}

/** The processes that this one has started and whose command line holds this text; Linux only. */
export function childrenWith(text: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const isChild = (pid: number) => statusOf(pid).match(/^\d+ \(.*\) \w (\d+)/s)?.[1] === String(process.pid);
  return pids.map(Number).filter((pid) => isChild(pid) && commandOf(pid).includes(text));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return `${pid} () X`;
  }
}
