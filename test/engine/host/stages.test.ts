import { describe, expect, it } from 'vitest';
import { StageClock } from '#src/engine/host/stages.js';
import type { Progress } from '#src/engine/task.js';

function openClock() {
  const notes: Progress[] = [];
  const time = { now: 1000 };
  const clock = new StageClock(
    (progress) => notes.push(progress),
    () => time.now,
  );
  return { clock, notes, time };
}

describe('StageClock', () => {
  it('adds up the time of each stage', () => {
    const { clock, time } = openClock();
    time.now += 7;
    clock.enter('decode');
    time.now += 10;
    clock.enter('infer');
    time.now += 20;
    clock.enter('infer', 0.5);
    time.now += 20;
    clock.enter('decode');
    time.now += 1;
    expect(clock.times()).toEqual({ decode: 11, infer: 40 });
  });

  it('gives the time of a wait to no stage', () => {
    const { clock, time } = openClock();
    clock.enter('decode');
    time.now += 10;
    clock.leave();
    time.now += 1000;
    clock.enter('infer');
    time.now += 20;
    expect(clock.times()).toEqual({ decode: 10, infer: 20 });
  });

  it('tells the stage before, to return to it', () => {
    const { clock } = openClock();
    expect([clock.enter('decode'), clock.enter('load')]).toEqual([null, 'decode']);
  });

  it('tells progress at most twice a second', () => {
    const { clock, notes, time } = openClock();
    for (let step = 0; step <= 100; step += 1) {
      clock.enter('infer', step / 100);
      time.now += 20;
    }
    expect(notes).toHaveLength(5);
  });

  it('tells progress of the whole attempt, which never goes back', () => {
    const { clock, notes, time } = openClock();
    for (const [stage, fraction] of [
      ['decode', 0],
      ['infer', 0],
      ['infer', 1],
      ['load', 0.5],
      ['encode', 2],
    ] as const) {
      clock.enter(stage, fraction);
      time.now += 500;
    }
    expect(notes.map((note) => Number(note.fraction.toFixed(3)))).toEqual([0.1, 0.2, 0.85, 0.85, 1]);
    expect(notes.at(-1)?.stage).toBe('encode');
  });
});
