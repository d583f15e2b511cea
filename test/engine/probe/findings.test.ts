import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Findings } from '#src/engine/probe/findings.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'darkroom-findings-'));
  path = join(folder, 'machine.json');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const schema = z.number();

describe('Findings', () => {
  it('keep a value for the facts it was found under, and for no others', () => {
    new Findings(path).keep('speed', { cores: 4 }, 12);
    const findings = new Findings(path);
    expect(findings.find('speed', { cores: 4 }, { schema })).toBe(12);
    expect(findings.find('speed', { cores: 8 }, { schema })).toBeNull();
    expect(findings.find('weight', { cores: 4 }, { schema })).toBeNull();
    expect(findings.find('speed', { cores: 4 }, { schema: z.string() })).toBeNull();
  });

  it('keep several side by side and leave no temporary file', () => {
    const findings = new Findings(path);
    findings.keep('speed', 1, 12);
    findings.keep('weight', 1, 13);
    expect([findings.find('speed', 1, { schema }), findings.find('weight', 1, { schema })]).toEqual([12, 13]);
    expect(readdirSync(folder)).toEqual(['machine.json']);
  });

  it('grow old', () => {
    let now = 1000;
    const findings = new Findings(path, () => now);
    findings.keep('speed', 1, 12);
    now += 50;
    expect(findings.find('speed', 1, { schema, maxAgeMs: 50 })).toBe(12);
    expect(findings.find('speed', 1, { schema, maxAgeMs: 49 })).toBeNull();
  });

  it('are none in a broken file, which is replaced', () => {
    writeFileSync(path, '{"speed": {"key"');
    const findings = new Findings(path);
    expect(findings.find('speed', 1, { schema })).toBeNull();
    findings.keep('speed', 1, 12);
    expect(findings.find('speed', 1, { schema })).toBe(12);
  });

  it('do without a place to keep them', () => {
    for (const nowhere of [null, join(folder, 'missing', 'machine.json')]) {
      const findings = new Findings(nowhere);
      findings.keep('speed', 1, 12);
      expect(findings.find('speed', 1, { schema })).toBeNull();
    }
  });
});
