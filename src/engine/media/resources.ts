import { EngineError } from '../errors.js';

/** `storage_full` or `out_of_memory` if that is what an error of the file system or of libvips says, otherwise nothing. */
export function resourceError(cause: unknown): EngineError | undefined {
  const message = cause instanceof Error ? cause.message : '';
  if (/no space left on device/i.test(message)) {
    return new EngineError('storage_full', 'The disk is full; free some space and send the picture again', { cause });
  }
  if (/out of memory --|could not allocate enough memory|array buffer allocation failed/i.test(message)) {
    return new EngineError('out_of_memory', 'There was not enough memory for this picture', { cause });
  }
  return undefined;
}

/** The result of the work, or its error told as `resourceError` does where it can. */
export function explainingResources<Result>(work: Promise<Result>): Promise<Result> {
  return work.catch((error: unknown) => {
    throw resourceError(error) ?? error;
  });
}
