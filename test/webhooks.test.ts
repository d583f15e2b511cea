import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serverProcess } from '../bench/server-process.js';
import { startReceiver } from './helpers/receiver.js';
import { tempFolder } from './helpers/temp-folder.js';

const run = promisify(execFile);

describe('a delivery', () => {
  it('survives kill -9 of the server, and verifies with the official library', async () => {
    const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
    // The first attempt gets no answer: the server dies while it waits for one.
    const receiver = await startReceiver(() => {}, 200);
    const server = await serverProcess(await tempFolder(), {
      DARKROOM_WORKERS: '1',
      DARKROOM_THREADS: '1',
      DARKROOM_DEVICE: 'cpu',
      DARKROOM_MIN_FREE_MB: '0',
      DARKROOM_ALLOW_HOSTS: receiver.host,
      DARKROOM_WEBHOOK_SECRET: secret,
    });
    await server.start();
    onTestFinished(async () => {
      await server.kill('SIGKILL');
    });
    const form = new FormData();
    form.set('image', new Blob([await readFile('test/fixtures/photo.jpg')]), 'photo.jpg');
    form.set('webhook_url', receiver.url);
    const answer = await fetch(`${server.url}/api/generate/background-removal`, { method: 'POST', body: form });
    const { id } = (await answer.json()) as { id: string };
    await receiver.got(1, 30_000);
    await server.kill('SIGKILL');
    await server.start();
    const [, letter] = await receiver.got(2, 30_000);
    const headers = letter?.headers as Record<string, string>;
    expect(new Webhook(secret).verify(letter?.body ?? '', headers)).toMatchObject({ id, status: 'completed' });
    expect(letter?.body).toBe(receiver.letters[0]?.body);
  });
});

/** What the README tells receivers to do, run as it stands there. */
describe('the verifier in the README', () => {
  const secret = 'dk_secret-é';
  const body = '{"prompt":"Ein Überblick — 風景"}';
  const right = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const cases: [string, string, boolean][] = [
    [body, right, true],
    [`${body} `, right, false],
    [body, right.replace(/.$/, (last) => (last === '0' ? '1' : '0')), false],
    [body, right.slice(0, -1), false],
    [body, '', false],
    [body, 'sha256=é', false],
  ];
  const expected = cases.map(([, , verdict]) => String(verdict)).join(' ');

  it('in JavaScript tells right from wrong, and does not throw', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'verify.mjs'), await snippet('js'));
    const { verify } = (await import(join(folder, 'verify.mjs'))) as {
      verify(rawBody: Buffer, signature: string | undefined, secret: string): boolean;
    };
    expect(cases.map(([sent, signature]) => verify(Buffer.from(sent), signature, secret)).join(' ')).toBe(expected);
    expect(verify(Buffer.from(body), undefined, secret)).toBe(false);
  });

  it('in Python does so too', async ({ skip }) => {
    if (!(await isInstalled('python3', '--version'))) skip('there is no python3 here');
    const main = `
import json, sys
for sent, signature in json.loads(sys.argv[1]):
    print(str(verify(sent.encode(), signature, sys.argv[2])).lower())
print(str(verify(b"", None, sys.argv[2])).lower())`;
    const program = join(await tempFolder(), 'verify.py');
    await writeFile(program, (await snippet('python')) + main);
    const { stdout } = await run('python3', [program, JSON.stringify(cases.map((one) => one.slice(0, 2))), secret]);
    expect(stdout.trim().split(/\s+/).join(' ')).toBe(`${expected} false`);
  });

  it('in Java does so too', { timeout: 60_000 }, async ({ skip }) => {
    if (!(await isInstalled('java', '--version'))) skip('there is no java here');
    const literal = (text: string) => JSON.stringify(text).replace(/[^\x20-\x7e]/g, toEscape);
    const calls = cases.map(
      ([sent, signature]) =>
        `System.out.println(verify(${literal(sent)}.getBytes(UTF_8), ${literal(signature)}, ${literal(secret)}));`,
    );
    const program = join(await tempFolder(), 'Verify.java');
    await writeFile(
      program,
      `import static java.nio.charset.StandardCharsets.UTF_8;
class Verify {
${await snippet('java')}
  public static void main(String[] arguments) throws Exception {
    ${calls.join('\n    ')}
    System.out.println(verify(new byte[0], null, "secret"));
  }
}`,
    );
    const { stdout } = await run('java', [program]);
    expect(stdout.trim().split(/\s+/).join(' ')).toBe(`${expected} false`);
  });
});

function toEscape(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

async function snippet(language: string): Promise<string> {
  const readme = await readFile(resolve(import.meta.dirname, '../README.md'), 'utf8');
  const blocks = readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'));
  const [found] = [...blocks].map(([, code = '']) => code).filter((code) => /\bverify\(/.test(code));
  if (found === undefined) throw new Error(`The README has no verifier in ${language}`);
  return found;
}

async function isInstalled(program: string, question: string): Promise<boolean> {
  return run(program, [question]).then(
    () => true,
    () => false,
  );
}
