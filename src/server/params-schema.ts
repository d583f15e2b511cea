import { z } from 'zod';
import type { Operation } from '../engine/operations/operation.js';

/** JSON schema of the params of an operation. */
export interface ParamsSchema {
  type?: string;
  properties?: Record<string, object>;
  required: string[];
}

/** The schema of the params as they are after parsing, which knows every default; what has one need not be sent, and more may be. */
export function paramsSchema(params: Operation['params']): ParamsSchema {
  const { additionalProperties: _, required = [], ...schema } = z.toJSONSchema(params, { unrepresentable: 'any' });
  const hasDefault = (name: string) => Object.hasOwn(Object(schema.properties?.[name]), 'default');
  return { ...schema, required: required.filter((name) => !hasDefault(name)) } as ParamsSchema;
}
