import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import type { Engine, ReceivedFile } from '../engine/api.js';
import { EngineError } from '../engine/errors.js';

export interface FormOptions {
  engine: Pick<Engine, 'receive' | 'discard'>;
  /** The picture field that a file part of this name is. Errors: `invalid_input` for other names. */
  fieldOf(partName: string): string;
  maxFiles: number;
}

export interface Form {
  fields: Map<string, string>;
  files: ReceivedFile[];
}

const maxFields = 100;
const maxFieldBytes = 64 * 1024;

/**
 * Reads a multipart form; file parts go straight to the engine while they arrive and are never held in memory.
 * When it rejects nothing of the form is left.
 * Errors: `invalid_input`, `cancelled` (the client went away), and those of `Engine.receive`.
 */
export async function readForm(req: IncomingMessage, options: FormOptions): Promise<Form> {
  const parser = openParser(req, options.maxFiles);
  const fields = new Map<string, string>();
  const receiving: Promise<ReceivedFile>[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const guard = createGuard(reject);
      parser.on('field', (name, value, info) => guard.run(() => addField(fields, { name, value, ...info })));
      parser.on('file', (name: string | undefined, stream, { filename }) => {
        // Destroying the parser destroys the file it is in the middle of; the receiver is the one to be told.
        stream.on('error', () => {});
        const received = guard.run(() => receive(stream, { name: name ?? '', filename, options }));
        if (received === undefined) return void stream.resume();
        receiving.push(received);
        received.catch(guard.fail);
      });
      onOverflow(parser, options.maxFiles, guard.fail);
      parser.on('error', (cause: unknown) => guard.fail(malformed(cause)));
      parser.on('close', resolve);
      req.on('close', () => req.complete || guard.fail(brokenOff()));
      // A client that left while its key was looked up has closed already: there is no event to come.
      if (req.destroyed) guard.fail(brokenOff());
      req.pipe(parser);
    });
    return { fields, files: await Promise.all(receiving) };
  } catch (error) {
    req.unpipe(parser);
    parser.destroy();
    await discardAll(receiving, options.engine);
    throw error;
  }
}

interface FilePart {
  name: string;
  filename: string | undefined;
  options: FormOptions;
}

/** The file as the engine stores it, with the name that its sender gave it. */
function receive(stream: Readable, { name, filename, options }: FilePart): Promise<ReceivedFile> {
  const receiving = options.engine.receive(stream, options.fieldOf(name));
  return filename ? receiving.then((file) => ({ ...file, name: filename.slice(0, 255) })) : receiving;
}

function openParser(req: IncomingMessage, maxFiles: number): busboy.Busboy {
  try {
    const limits = { fields: maxFields, fieldSize: maxFieldBytes, files: maxFiles, parts: maxFields + maxFiles + 1 };
    return busboy({ headers: req.headers, limits, defParamCharset: 'utf8' });
  } catch (cause) {
    throw malformed(cause);
  }
}

interface Guard {
  fail(error: unknown): void;
  /** Runs a step unless an earlier one failed; a throw is a failure (busboy's events would let it end the process). */
  run<T>(step: () => T): T | undefined;
}

function createGuard(reject: (error: unknown) => void): Guard {
  let hasFailed = false;
  const fail = (error: unknown) => {
    hasFailed = true;
    reject(error);
  };
  const run = <T>(step: () => T): T | undefined => {
    if (hasFailed) return undefined;
    try {
      return step();
    } catch (error) {
      fail(error);
      return undefined;
    }
  };
  return { fail, run };
}

function onOverflow(parser: busboy.Busboy, maxFiles: number, fail: (error: unknown) => void): void {
  const refuse = (what: string) => () => fail(new EngineError('invalid_input', `Expected at most ${what} in the form`));
  parser.on('filesLimit', refuse(maxFiles === 1 ? 'one file' : `${maxFiles} files`));
  parser.on('fieldsLimit', refuse(`${maxFields} fields`));
  parser.on('partsLimit', refuse(`${maxFields + maxFiles} parts`));
}

interface Field {
  name: string | undefined;
  value: string;
  valueTruncated: boolean;
}

function addField(fields: Map<string, string>, { name, value, valueTruncated }: Field): void {
  if (name === undefined) throw new EngineError('invalid_input', 'Expected every part of the form to have a name');
  const param = name.slice(0, 100);
  if (valueTruncated) {
    const message = `Expected \`${param}\` to be shorter than ${maxFieldBytes / 1024} KB: send pictures as files (curl -F image=@photo.jpg)`;
    throw new EngineError('too_large', message, { param });
  }
  if (fields.has(name)) throw new EngineError('invalid_input', `Expected \`${param}\` once, got it twice`, { param });
  fields.set(name, value);
}

function malformed(cause: unknown): EngineError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EngineError('invalid_input', `Expected a complete multipart form: ${reason}`, { cause });
}

/** The error for a client that went away in the middle of its request. */
export function brokenOff(cause?: unknown): EngineError {
  return new EngineError('cancelled', 'The request was broken off', { cause });
}

async function discardAll(receiving: Promise<ReceivedFile>[], engine: FormOptions['engine']): Promise<void> {
  const settled = await Promise.allSettled(receiving);
  await engine.discard(settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])));
}
