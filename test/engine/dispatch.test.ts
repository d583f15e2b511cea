import { describe, expect, it } from 'vitest';
import { nextMove, type ThreadState } from '#src/engine/dispatch.js';

interface Thread extends ThreadState {
  name: string;
}

/** A thread from a line such as `a idle x,y free 5`, `b running x`, `c loading z (x,y)`. */
function thread(line: string, order: number): Thread {
  const match = line.match(/^(\w+) (idle|running|loading) ?(\w*)?(?:,(\w+))? ?(?:\((.*?)\))? ?(?:free (\d+))?$/);
  if (!match) throw new Error(`Not a thread: ${line}`);
  const [, name = '', status, first, second, others, free = '0'] = match;
  const warm =
    status === 'loading' ? (others?.split(',') ?? []) : [first, second].filter((model) => model !== undefined);
  const loading = status === 'loading' ? (first ?? null) : null;
  return { name, status: status as Thread['status'], loading, warm: new Set(warm), free: Number(free), usedAt: order };
}

/** What comes next: `run x on a`, `load x on a`, or null. */
function next(models: (string | null)[], threads: string[], atOnce = threads.length - 1): string | null {
  const move = nextMove(
    models.map((model) => ({ model })),
    threads.map(thread),
    atOnce,
  );
  return move && `${move.kind} ${move.task.model} on ${move.thread.name}`;
}

describe('nextMove', () => {
  it.each<[string, string | null, (string | null)[], string[]]>([
    ['does nothing without tasks', null, [], ['a idle', 'b idle']],
    ['runs a task where its model is warm', 'run x on b', ['x'], ['a idle y', 'b idle x', 'c idle']],
    ['runs the longest waiting task first', 'run y on a', ['y', 'x'], ['a idle y', 'b idle x']],
    [
      'loads a model where most memory is free',
      'load x on b',
      ['x'],
      ['a idle y free 1', 'b idle z free 5', 'c idle free 2'],
    ],
    ['loads a model on the longest unused of equal threads', 'load x on a', ['x'], ['a idle y', 'b idle z']],
    [
      'lets a later task run while the model of an earlier one loads',
      'run x on b',
      ['y', 'x'],
      ['a loading y', 'b idle x'],
    ],
    ['loads a model while every slot is taken', 'load y on b', ['y'], ['a running x', 'b idle']],
    ['does not run more tasks than may run at once', null, ['x'], ['a running y', 'b idle x']],
    ['leaves one thread that does not load', null, ['z'], ['a loading y', 'b idle x']],
    ['does not load onto a thread where an earlier task will run', null, ['x', 'z'], ['a running y', 'b idle x']],
    ['does not load a second copy for a slot that is not there', null, ['x'], ['a running x', 'b idle']],
    ['loads a second copy for a slot that would stay empty', 'load x on b', ['x'], ['a running x', 'b idle', 'c idle']],
    ['counts a load under way as the use of a slot', null, ['x'], ['a running x', 'b loading x', 'c idle']],
    ['does not wait for the load of another model', 'load x on b', ['x'], ['a loading y (x)', 'b idle']],
    ['runs tasks that need no model anywhere', 'run null on a', [null], ['a idle', 'b idle']],
  ])('%s', (_, expected, models, threads) => {
    expect(next(models, threads)).toBe(expected);
  });

  it('waits when every thread is busy', () => {
    expect(next(['x', null], ['a running x', 'b loading y'], 2)).toBeNull();
  });
});
