import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BatchOutcome } from '#src/engine/folders/batch.js';
import { EngineError } from '#src/engine/errors.js';
import { openReport } from '#src/engine/folders/report.js';
import type { Verdict } from '#src/engine/folders/verdict.js';
import { tempFolder } from '../../helpers/temp-folder.js';

const good: Verdict = {
  coverage: 0.31,
  touches_edge: false,
  holes: 1,
  edge_softness: 1.4,
  halo: 0.02,
  confidence: 0.93,
  warnings: [],
};

function outcome(source: string, change: Partial<BatchOutcome> = {}): BatchOutcome {
  const target = `out/${source}.png`;
  return { source, target, state: 'done', ms: 5, model: 'cutout', warnings: [], verdict: good, error: null, ...change };
}

describe('openReport', () => {
  test('writes one line of CSV for each file, and quotes what needs it', async () => {
    const path = join(await tempFolder(), 'verdicts.csv');
    const report = await openReport(path);
    await report.add(outcome('a.jpg'));
    await report.add(
      outcome('b, "c".jpg', { verdict: { ...good, touches_edge: true, warnings: ['One', 'Two, three'] } }),
    );
    const error = new EngineError('invalid_input', 'Expected a picture');
    await report.add(outcome('d.jpg', { state: 'failed', verdict: null, error }));
    await report.close();
    expect((await readFile(path, 'utf8')).split('\r\n')).toEqual([
      'file,output,state,doubtful,coverage,touches_edge,holes,edge_softness,halo,confidence,warnings',
      'a.jpg,out/a.jpg.png,done,false,0.31,false,1,1.4,0.02,0.93,',
      '"b, ""c"".jpg","out/b, ""c"".jpg.png",done,true,0.31,true,1,1.4,0.02,0.93,"One; Two, three"',
      'd.jpg,,failed,true,,,,,,,Expected a picture',
      '',
    ]);
  });

  test('writes JSON with numbers and lists', async () => {
    const path = join(await tempFolder(), 'verdicts.json');
    const report = await openReport(path);
    await report.add(outcome('a.jpg', { verdict: { ...good, confidence: 0.5, warnings: ['One', 'Two'] } }));
    await report.close();
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual([
      {
        ...{
          file: 'a.jpg',
          output: 'out/a.jpg.png',
          state: 'done',
          doubtful: true,
          coverage: 0.31,
          touches_edge: false,
        },
        ...{ holes: 1, edge_softness: 1.4, halo: 0.02, confidence: 0.5, warnings: ['One', 'Two'] },
      },
    ]);
  });

  test.each(['csv', 'json'])(
    'takes up an earlier %s: what was skipped keeps its line, what was made again gets a new one',
    async (format) => {
      const path = join(await tempFolder(), `verdicts.${format}`);
      const first = await openReport(path);
      for (const source of ['a.jpg', 'b, "c".jpg']) await first.add(outcome(source));
      await first.close();
      const before = await readFile(path, 'utf8');
      const second = await openReport(path);
      await second.add(outcome('a.jpg', { state: 'skipped', verdict: null }));
      await second.close();
      expect(await readFile(path, 'utf8')).toBe(before);
      const third = await openReport(path);
      await third.add(outcome('b, "c".jpg', { verdict: { ...good, coverage: 0.77 } }));
      await third.close();
      expect((await readFile(path, 'utf8')).match(/0\.77/g)).toHaveLength(1);
      expect((await readFile(path, 'utf8')).match(/0\.31/g)).toHaveLength(1);
    },
  );

  test('is on disk long before the end of a large batch', async () => {
    const path = join(await tempFolder(), 'verdicts.csv');
    const report = await openReport(path);
    for (let index = 0; index < 60; index++) await report.add(outcome(`${index}.jpg`));
    expect((await readFile(path, 'utf8')).split('\r\n').length).toBeGreaterThan(50);
  });

  test('never overwrites what is no report', async () => {
    const folder = await tempFolder();
    for (const [name, text] of [
      ['notes.csv', 'name,price\r\nshirt,9\r\n'],
      ['notes.json', '{"a": 1}'],
      ['list.json', '[{"a": 1}]'],
    ]) {
      const path = join(folder, name as string);
      await writeFile(path, text as string);
      await expect(openReport(path)).rejects.toMatchObject({ code: 'invalid_input', details: { param: 'report' } });
      expect(await readFile(path, 'utf8')).toBe(text);
    }
    await expect(openReport(join(folder, 'report.txt'))).rejects.toThrow(/\.csv or \.json/);
    await expect(openReport(join(folder, 'missing/report.csv'))).rejects.toMatchObject({ code: 'invalid_input' });
  });
});
