import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Callback } from './provider.js';

/** How far the clocks of a service and of this machine may differ. */
export const toleratedSkewSeconds = 300;

/** Whether a time in seconds, as a header has it, is now, give or take what clocks may differ. */
export function isRecent(timestamp: string, now: number): boolean {
  return timestamp !== '' && Math.abs(now / 1000 - Number(timestamp)) <= toleratedSkewSeconds;
}

/**
 * Whether a call is signed as https://www.standardwebhooks.com has it: `webhook-signature` is a list of
 * `v1,<base64 of HMAC-SHA256>` over id, time and body.
 */
export function isSigned({ headers, body }: Callback, key: string | Buffer, now: number): boolean {
  const { 'webhook-id': id = '', 'webhook-timestamp': at = '', 'webhook-signature': signatures = '' } = headers;
  if (!isRecent(at, now)) return false;
  const expected = createHmac('sha256', key).update(`${id}.${at}.`).update(body).digest();
  return signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
