import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

interface Import {
  from: string;
  to: string;
  isType: boolean;
}

const files = listFiles(join(root, 'src')).map((path) => relative(join(root, 'src'), path));
const imports = files.flatMap(importsOf);

/** Who alone may import a package; everybody else goes through these files. */
const owners: Record<string, string[]> = {
  'onnxruntime-node': ['models/session.ts'],
  sharp: ['engine/media/image.ts'],
  'better-sqlite3': ['engine/jobs/db.ts'],
  piscina: ['engine/host/pool.ts'],
  'tar-stream': ['engine/model-store/bundle.ts'],
  undici: [
    'engine/downloads/download.ts',
    'engine/model-store/network.ts',
    'engine/model-store/transfer.ts',
    'engine/providers/http.ts',
  ],
  jose: ['engine/providers/kling.ts'],
  yazl: ['engine/media/archive.ts'],
  'fluent-ffmpeg': ['engine/media/ffmpeg.ts'],
  commander: ['cli.ts', 'cli/models.ts', 'cli/doctor.ts', 'cli/watch.ts'],
  chokidar: ['engine/folders/watch-folder.ts'],
  'cli-progress': ['cli.ts', 'cli/bars.ts'],
};

describe('the layout of src', () => {
  it('lets data flow one way: server → engine → models', () => {
    const rank = (path: string) => ['models', 'engine', 'server'].indexOf(path.split('/')[0] ?? '');
    const leaves = ['engine/errors.ts', 'engine/media/media.ts'];
    const upward = local().filter(({ from, to, isType }) => {
      if (rank(from) < 0 || rank(to) <= rank(from)) return false;
      return !leaves.includes(to) && !(isType && to.startsWith('engine/operations/'));
    });
    expect(upward).toEqual([]);
  });

  it('keeps the server on the surface of the engine', () => {
    const surface = ['api', 'engine', 'errors', 'config', 'log', 'operations/index'].map((name) => `engine/${name}.ts`);
    const deep = local().filter(
      ({ from, to, isType }) =>
        from.startsWith('server/') && !to.startsWith('server/') && !isType && !surface.includes(to),
    );
    expect(deep).toEqual([]);
  });

  it('lets each library have one owner', () => {
    const strays = imports.filter(({ from, to }) => owners[to] && !owners[to].includes(from));
    expect(strays).toEqual([]);
  });

  it('lets koa and the form parser be the server’s alone', () => {
    const strays = imports.filter(({ from, to }) => /^(koa|@koa\/|busboy)/.test(to) && !from.startsWith('server/'));
    expect(strays).toEqual([]);
  });

  it.each(['engine/operations', 'engine/providers', 'models'])(
    'keeps the siblings in %s strangers to one another',
    (folder) => {
      const members = membersOf(folder);
      const acquainted = local().filter(({ from, to }) => members.includes(from) && members.includes(to));
      expect(acquainted).toEqual([]);
    },
  );

  it.each(['engine/operations', 'engine/providers', 'models'])('lists every member of %s in its index', (folder) => {
    const listed = imports.filter(({ from }) => from === `${folder}/index.ts`).map(({ to }) => to);
    expect(membersOf(folder).filter((member) => !listed.includes(member))).toEqual([]);
  });

  it('keeps native libraries out of the server process', () => {
    const reached = reachable('server/main.ts');
    const native = imports.filter(
      ({ from, to }) => reached.has(from) && ['onnxruntime-node', 'sharp', 'piscina', 'fluent-ffmpeg'].includes(to),
    );
    expect(native).toEqual([]);
  });

  it('holds nothing that was built', () => {
    const built = readdirSync(join(root, 'src'), { recursive: true }).filter((name) =>
      /\.js(\.map)?$/.test(String(name)),
    );
    expect(built).toEqual([]);
  });

  it('reads the environment in one file', () => {
    const readers = files.filter((file) => /process\.env/.test(read(file)));
    expect(readers).toEqual(['engine/config.ts']);
  });

  it('has no file whose name says nothing, and none that imports in a circle', () => {
    const vague = files.filter((file) => /^(utils?|helpers?|common|base|misc|manager)\.ts$/.test(basename(file)));
    expect(vague).toEqual([]);
    const circles = files.filter((file) => reachableAtRunTime(file).has(file));
    expect(circles).toEqual([]);
  });
});

const kinds: Record<string, RegExp> = {
  models: /:\s*ModelFamily\b/,
  'engine/operations': /:\s*Operation\b/,
  'engine/providers': /:\s*Provider\b/,
};

/** Files that are one of many of a kind: those that their folder's index lists and that export the member itself. */
function membersOf(folder: string): string[] {
  const kind = kinds[folder] as RegExp;
  return files.filter(
    (file) =>
      dirname(file) === folder &&
      basename(file) !== 'index.ts' &&
      kind.test(read(file)) &&
      /export const/.test(read(file)),
  );
}

function local(): Import[] {
  return imports.filter(({ to }) => to.endsWith('.ts'));
}

function reachable(start: string): Set<string> {
  const seen = new Set<string>();
  const queue = [start];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    queue.push(...runTimeImports(next));
  }
  return seen;
}

function reachableAtRunTime(file: string): Set<string> {
  const seen = new Set<string>();
  for (const next of runTimeImports(file)) for (const found of reachable(next)) seen.add(found);
  return seen;
}

function runTimeImports(file: string): string[] {
  return local()
    .filter(({ from, isType }) => from === file && !isType)
    .map(({ to }) => to);
}

function importsOf(from: string): Import[] {
  const statement = /(?:import|export)\s+(type\s+)?(?:([^'";]*?)\s+from\s+)?'([^']+)'/g;
  return [...read(from).matchAll(statement)].map(([, type, names = '', to = '']) => ({
    from,
    to: to.startsWith('.') ? join(dirname(from), to).replace(/\.js$/, '.ts') : to,
    isType: type !== undefined || onlyTypes(names),
  }));
}

/** `{ type A, type B }` loads nothing. */
function onlyTypes(names: string): boolean {
  const listed = names.match(/^\{([^}]*)\}$/)?.[1]?.split(',') ?? [];
  const used = listed.map((name) => name.trim()).filter(Boolean);
  return used.length > 0 && used.every((name) => name.startsWith('type '));
}

function read(file: string): string {
  return readFileSync(join(root, 'src', file), 'utf8');
}

function listFiles(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? listFiles(path) : path.endsWith('.ts') ? [path] : []));
}
