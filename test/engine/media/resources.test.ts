import { describe, expect, it } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import { explainingResources, resourceError } from '#src/engine/media/resources.js';

describe('resourceError', () => {
  it.each([
    ['storage_full', 'ENOSPC: no space left on device, write'],
    ['storage_full', 'vips__write: write failed\nsystem error: No space left on device'],
    ['out_of_memory', 'out of memory -- size == 180MB'],
    ['out_of_memory', 'Could not allocate enough memory for raw output'],
    ['out_of_memory', 'Array buffer allocation failed'],
  ])('tells %s from "%s" and keeps the cause', (code, message) => {
    const cause = new Error(message);
    expect(resourceError(cause)).toMatchObject({ code, cause });
  });

  it('finds nothing in other errors', () => {
    expect(resourceError(new Error('VipsJpeg: premature end of JPEG image'))).toBeUndefined();
    // What a header asks for is the fault of the picture.
    expect(resourceError(new Error('heif: Allocating 9 GB exceeds the security limit'))).toBeUndefined();
    expect(resourceError('no error at all')).toBeUndefined();
  });
});

describe('explainingResources', () => {
  it('passes results and other errors on as they are', async () => {
    expect(await explainingResources(Promise.resolve(7))).toBe(7);
    const error = new EngineError('internal', 'Expected 10 rows, got 9');
    await expect(explainingResources(Promise.reject(error))).rejects.toBe(error);
  });
});
