import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mediaFormat } from '#src/engine/remote/media-format.js';

const fixtures = join(import.meta.dirname, '../../fixtures');

describe('mediaFormat', () => {
  it('tells clips and pictures by their first bytes', async () => {
    const [clip, photo] = await Promise.all(['clip.mp4', 'photo.jpg'].map((name) => readFile(join(fixtures, name))));
    expect(mediaFormat(clip as Buffer, 'video')).toBe('mp4');
    expect(mediaFormat(photo as Buffer, 'image')).toBe('jpg');
    expect(mediaFormat(clip as Buffer, 'image')).toBeNull();
    expect(mediaFormat(photo as Buffer, 'video')).toBeNull();
  });

  it.each(['<html>', '', 'GIF89a', '\0\0\0\x18ftypavif\0\0\0\0avif'])('takes %j for neither', (text) => {
    expect(mediaFormat(Buffer.from(text, 'latin1'), 'video')).toBeNull();
    expect(mediaFormat(Buffer.from(text, 'latin1'), 'image')).toBeNull();
  });
});
