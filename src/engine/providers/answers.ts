import { z } from 'zod';
import { ProviderFailure, type FailureDetails, type FailureKind } from '../routing/failure.js';
import type { ApiAnswer } from './provider.js';

/**
 * The part of a JSON answer that is needed. Errors: ProviderFailure `unknown` for an answer of another shape: it says
 * success, and nobody knows of what.
 */
export function read<Shape extends z.ZodType>(shape: Shape, answer: ApiAnswer): z.output<Shape> {
  const parsed = shape.safeParse(answer.json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'the body';
  throw new ProviderFailure('unknown', `The service answered in a form that is not known: ${where} ${issue?.message}`);
}

/** The part of a JSON answer that is needed, or null if it has another shape. */
export function glean<Shape extends z.ZodType>(shape: Shape, answer: ApiAnswer): z.output<Shape> | null {
  return shape.safeParse(answer.json).data ?? null;
}

/** The failure of a job that the service had taken. */
export function failedJob(kind: FailureKind, message: string, details: FailureDetails = {}): ProviderFailure {
  return new ProviderFailure(kind, message, { ...details, isAccepted: true });
}

/** Codes of a service by what they mean, the first match wins; what none matches is null. */
export function kindOf(code: string, table: readonly (readonly [RegExp, FailureKind])[]): FailureKind | null {
  return table.find(([pattern]) => pattern.test(code))?.[1] ?? null;
}

/** The id that a submission was given, as text. */
export const idShape = z.union([z.string().min(1), z.number()]).transform(String);
