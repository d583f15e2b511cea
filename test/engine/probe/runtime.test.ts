import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { graphicsFacts, runtimeFacts } from '#src/engine/probe/runtime.js';

describe('runtimeFacts', () => {
  it('tell the version and libraries of the runtime', () => {
    const { version, libraries } = runtimeFacts();
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    expect(libraries.join()).toMatch(/onnxruntime_binding\.node \d+/);
  });
});

describe('graphicsFacts', () => {
  it('list what stands for a GPU, and its driver', () => {
    const root = mkdtempSync(join(tmpdir(), 'darkroom-graphics-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    for (const path of ['dev/nvidia0', 'dev/nvidiactl', 'dev/null', 'dev/dri/renderD128', 'dev/dri/card0']) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), '');
    }
    mkdirSync(join(root, 'proc/driver/nvidia'), { recursive: true });
    writeFileSync(join(root, 'proc/driver/nvidia/version'), 'NVRM version: 550.1\nGCC version: 12\n');
    expect(graphicsFacts(root)).toEqual({
      devices: ['nvidia0', 'nvidiactl', 'dri/renderD128'],
      driver: 'NVRM version: 550.1',
    });
  });

  it('are empty on a machine without any', () => {
    expect(graphicsFacts('/nowhere')).toEqual({ devices: [], driver: '' });
  });
});
