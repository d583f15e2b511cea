import { randomBytes } from 'node:crypto';
import { EngineError } from '../errors.js';
import { contentTypes as pictureTypes } from '../media/media.js';

/** The extensions that a blob can have, each with its content type. */
export const blobTypes = {
  ...pictureTypes,
  mp4: 'video/mp4',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  zip: 'application/zip',
  json: 'application/json',
  bin: 'application/octet-stream',
} as const;

/** What an id says by itself. */
export interface ParsedBlobId {
  createdAt: number;
  extension: keyof typeof blobTypes;
}

// 12 hex digits of time, so that ids sort by age; 32 of chance, so that nobody finds a file that was not given to him.
const form = /^([0-9a-f]{12})[0-9a-f]{32}\.([a-z0-9]{1,8})$/;

/**
 * A new id: the time in milliseconds and 128 random bits as 44 hex digits, then a dot and the extension.
 * Errors: `unsupported` for an extension that is not in `blobTypes`.
 */
export function newBlobId(extension: string, createdAt: number): string {
  if (!isBlobExtension(extension)) {
    throw new EngineError(
      'unsupported',
      `Expected a file extension of ${Object.keys(blobTypes).join(', ')}, got "${extension}"`,
    );
  }
  return `${createdAt.toString(16).padStart(12, '0')}${randomBytes(16).toString('hex')}.${extension}`;
}

/** The parts of an id, or null if it is none. A string that passes is safe as a file name: hex digits, a dot, a known extension. */
export function parseBlobId(id: string): ParsedBlobId | null {
  const [, time = '', extension = ''] = form.exec(id) ?? [];
  if (!isBlobExtension(extension)) return null;
  return { createdAt: Number.parseInt(time, 16), extension };
}

function isBlobExtension(extension: string): extension is keyof typeof blobTypes {
  return Object.hasOwn(blobTypes, extension);
}
