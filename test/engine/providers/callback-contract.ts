import { describe, expect, it } from 'vitest';
import type { Callback, CallbackContext, Provider } from '#src/engine/providers/provider.js';
import { fakeSecret, type FakeJob, type Wire } from '../../fakes/wire.js';

export interface CallbackCase {
  provider: Provider;
  wire: Wire;
  model: string;
  fetchJson?: CallbackContext['fetchJson'];
}

const now = 1_800_000_000_000;

const job: FakeJob = {
  id: 'job-1',
  externalId: null,
  callbackUrl: 'http://127.0.0.1/callback',
  state: 'ended',
  outcome: 'done',
  resultUrl: 'http://127.0.0.1/result',
  submitted: { method: 'POST', path: '/', query: {}, headers: {}, json: null, form: null },
};

/** What every provider that signs its calls to us does with them. */
export function callbackContract({ provider, wire, fetchJson = async () => ({}) }: CallbackCase): void {
  const call = (at = now): Callback => {
    const { headers, body } = wire.callback?.(job, at) ?? { headers: {}, body: '' };
    return { headers, body: Buffer.from(body) };
  };
  const verify = async (callback: Callback, secret: string | null = fakeSecret) =>
    provider.verify?.(callback, { secret, now, fetchJson });

  describe('a call to us', () => {
    it('is taken when it is signed, also from a clock four minutes off', async () => {
      expect(await verify(call())).toBe(true);
      expect(await verify(call(now - 240_000))).toBe(true);
      expect(await verify(call(now + 240_000))).toBe(true);
    });

    it('is refused when a byte of it was changed, or its signature is gone', async () => {
      const { headers, body } = call();
      expect(await verify({ headers, body: Buffer.concat([body, Buffer.from(' ')]) })).toBe(false);
      expect(await verify({ headers: {}, body })).toBe(false);
    });

    it('is refused when it was signed an hour ago: somebody kept it and sends it again', async () => {
      expect(await verify(call(now - 3_600_000))).toBe(false);
    });

    it('is refused when it is signed with another secret, where there is one', async () => {
      const isAsymmetric = provider.name === 'fal';
      expect(await verify(call(), 'whsec_b3RoZXI=')).toBe(isAsymmetric);
    });
  });
}
