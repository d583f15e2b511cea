import { createHmac } from 'node:crypto';

/** One attempt at telling a receiver of an event. */
export interface Envelope {
  event: string;
  /** Id of the job or batch. */
  subject: string;
  /** The same at every attempt, so that a receiver can tell a repetition. */
  deliveryId: string;
  body: string;
  /** When this attempt is made, in milliseconds since the epoch. */
  at: number;
}

/**
 * The headers of a delivery, those of CreativeAI (contract 73) and of Standard Webhooks
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md); signed if there is a
 * secret.
 */
export function headersOf(envelope: Envelope, secret: string | null): Record<string, string> {
  const { event, subject, deliveryId, body, at } = envelope;
  const timestamp = String(Math.floor(at / 1000));
  const headers = {
    'Content-Type': 'application/json',
    'User-Agent': 'Darkroom',
    'X-CreativeAI-Event': event,
    'X-CreativeAI-Delivery-Id': subject,
    'webhook-id': deliveryId,
    'webhook-timestamp': timestamp,
  };
  if (secret === null) return headers;
  const dated = `${deliveryId}.${timestamp}.${body}`;
  return {
    ...headers,
    'X-CreativeAI-Signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    'webhook-signature': `v1,${createHmac('sha256', standardKey(secret)).update(dated).digest('base64')}`,
  };
}

/** `whsec_` and base64 is how the standard writes a secret; any other text is taken as it is. */
function standardKey(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
}
