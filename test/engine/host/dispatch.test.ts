import { describe, expect, it } from 'vitest';
import { isWarmAnywhere, nextMove, type ThreadState } from '#src/engine/host/dispatch.js';

interface Thread extends ThreadState {
  name: string;
}

/** A thread from a line such as `a idle x,y free 5`: its name, what it does, its models, its memory. */
function thread(line: string, order: number): Thread {
  const match = line.match(/^(\w) (idle|running|loading)(?: ([xyz,]+))?(?: free (\d+))?$/);
  if (!match) throw new Error(`Not a thread: ${line}`);
  const [, name = '', status, warm, free = '0'] = match;
  const models = new Set(warm?.split(',') ?? []);
  return { name, status: status as Thread['status'], warm: models, free: Number(free), usedAt: order };
}

/** A task from the name of its model; `x…` is being loaded for it, `-` needs none. */
function task(line: string) {
  return { model: line === '-' ? null : line.slice(0, 1), isLoading: line.endsWith('…') };
}

/** What comes next: `run x on a`, `load x on a`, or null. */
function next(tasks: string[], threads: string[]): string | null {
  const move = nextMove(tasks.map(task), threads.map(thread));
  return move && `${move.kind} ${move.task.model} on ${move.thread.name}`;
}

describe('nextMove', () => {
  it.each<[string, string | null, string[], string[]]>([
    ['does nothing without tasks', null, [], ['a idle', 'b idle']],
    ['does nothing without an idle thread', null, ['x', '-'], ['a running x', 'b loading']],
    ['runs a task where its model is warm', 'run x on b', ['x'], ['a idle y', 'b idle x', 'c idle']],
    ['runs tasks that need no model anywhere', 'run null on a', ['-'], ['a idle', 'b idle']],
    ['runs the longest waiting task first', 'run y on a', ['y', 'x'], ['a idle y', 'b idle x']],
    ['loads where most memory is free', 'load x on b', ['x'], ['a idle free 1', 'b idle y free 5', 'c idle free 2']],
    ['loads on the longest unused of equal threads', 'load x on a', ['x'], ['a idle y', 'b idle z']],
    ['loads a model while another thread runs', 'load y on b', ['y'], ['a running x', 'b idle']],
    ['loads a second copy for a thread without work', 'load x on b', ['x'], ['a running x', 'b idle']],
    ['loads a model once for one task', null, ['x…'], ['a loading', 'b idle', 'c idle']],
    ['runs a task elsewhere while its model loads', 'run x on b', ['x…'], ['a loading', 'b idle x']],
    ['lets a later task run while an earlier one loads', 'run x on b', ['y…', 'x'], ['a loading', 'b idle x']],
    ['leaves one thread that does not load', null, ['y…', 'z'], ['a loading', 'b idle x']],
    [
      'lets several load where there are more threads',
      'load z on b',
      ['y…', 'z'],
      ['a loading', 'b idle', 'c running'],
    ],
    ['does not wait for the load of another model', 'load x on b', ['y…', 'x'], ['a loading x', 'b idle']],
  ])('%s', (_, expected, tasks, threads) => {
    expect(next(tasks, threads)).toBe(expected);
  });
});

describe('isWarmAnywhere', () => {
  it('asks also threads that are busy', () => {
    const threads = ['a running x', 'b idle y'].map(thread);
    expect(['x', 'y', 'z', '-'].map((line) => isWarmAnywhere(task(line), threads))).toEqual([true, true, false, true]);
  });
});
