import { MultiBar, type SingleBar } from 'cli-progress';
import { describeBytes } from '../engine/byte-size.js';

/** Bars of transfers on standard error, one for each file; silent where nobody looks. */
export interface TransferBars {
  show(name: string, done: number, total: number | null): void;
  stop(): void;
}

/** Draws bars on a terminal, a line now and then elsewhere, nothing when `isQuiet`. */
export function transferBars(isQuiet: boolean, now: () => number = () => performance.now()): TransferBars {
  if (isQuiet) return { show: () => {}, stop: () => {} };
  const format = '{name} {bar} {percentage}% | {size} | {speed} | {eta_formatted} left';
  const settings = { format, stream: process.stderr, noTTYOutput: true, notTTYSchedule: 5_000, hideCursor: true };
  const all = new MultiBar({ ...settings, stopOnComplete: false });
  const bars = new Map<string, { bar: SingleBar; begun: number; before: number }>();
  return {
    show(name, done, total) {
      const known = bars.get(name) ?? { bar: all.create(total ?? 0, 0, { name }), begun: now(), before: done };
      bars.set(name, known);
      const seconds = Math.max(0.001, (now() - known.begun) / 1000);
      const size = `${describeBytes(done)} of ${total === null ? '?' : describeBytes(total)}`;
      known.bar.setTotal(total ?? done);
      known.bar.update(done, { name, size, speed: `${describeBytes(Math.round((done - known.before) / seconds))}/s` });
    },
    stop: () => all.stop(),
  };
}
