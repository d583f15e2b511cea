import { createHmac } from 'node:crypto';
import { headersOf } from '#src/engine/webhooks/signature.js';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';

const envelope = {
  event: 'video.generation.completed',
  subject: 'vgen_abc123',
  deliveryId: 'whd_vgen_abc123_completed',
  body: '{"prompt":"Ein Überblick — 風景"}',
  at: Date.now(),
};

describe('headersOf', () => {
  it('has the headers of contract 73', () => {
    const hex = createHmac('sha256', 'dk_key').update(envelope.body).digest('hex');
    expect(headersOf(envelope, 'dk_key')).toMatchObject({
      'Content-Type': 'application/json',
      'X-CreativeAI-Event': 'video.generation.completed',
      'X-CreativeAI-Delivery-Id': 'vgen_abc123',
      'X-CreativeAI-Signature': `sha256=${hex}`,
    });
  });

  const whsec = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

  it.each([
    ['a whsec_ secret', whsec, new Webhook(whsec)],
    ['an API key', 'dk_some-key_1', new Webhook('dk_some-key_1', { format: 'raw' })],
  ])('verifies with the official library for %s', (_name, secret, official) => {
    const headers = headersOf(envelope, secret);
    expect(official.verify(envelope.body, headers)).toEqual({ prompt: 'Ein Überblick — 風景' });
    expect(() => official.verify(`${envelope.body} `, headers)).toThrow();
    expect(() => official.verify(envelope.body, { ...headers, 'webhook-id': 'another' })).toThrow();
    const old = headersOf({ ...envelope, at: envelope.at - 6 * 60_000 }, secret);
    expect(() => official.verify(envelope.body, old)).toThrow('timestamp too old');
  });

  it('has no signature without a secret, and still tells one delivery from another', () => {
    const headers = headersOf(envelope, null);
    expect(Object.keys(headers).filter((name) => /signature/i.test(name))).toEqual([]);
    expect(headers['webhook-id']).toBe('whd_vgen_abc123_completed');
    expect(headers['webhook-timestamp']).toBe(String(Math.floor(envelope.at / 1000)));
  });
});
