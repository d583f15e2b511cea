import { describe, expect, test } from 'vitest';
import type { LoadedModel } from '#src/models/load.js';
import type { SpeechModel } from '#src/models/model.js';

/**
 * What every model that speaks does, whatever its family. `load` makes it anew for each test; `isStub` for a network that
 * says the same of everything.
 */
export function speechContract(
  name: string,
  load: () => Promise<LoadedModel>,
  { isStub = false }: { isStub?: boolean } = {},
): void {
  const using = async (check: (model: SpeechModel, sentence: string) => Promise<void>) => {
    const loaded = await load();
    try {
      if (loaded.task !== 'speech') throw new Error(`Expected a model that speaks, got one for ${loaded.task}`);
      const letters = [...loaded.model.phonemes].filter((sign) => /^\p{L}$/u.test(sign));
      await check(loaded.model, letters.slice(0, 3).join(''));
    } finally {
      await loaded.release();
    }
  };

  describe(`${name} as a model that speaks`, () => {
    test('says phonemes with each of its voices', () =>
      using(async ({ voices, sampleRate, speak }, sentence) => {
        expect(sampleRate).toBeGreaterThanOrEqual(8000);
        expect(voices.length).toBeGreaterThan(0);
        for (const voice of voices) {
          const pcm = await speak(sentence, { voice });
          expect(pcm.length).toBeGreaterThan(0);
          for (const sample of pcm) if (!(Math.abs(sample) <= 2)) expect.fail(`a sample of ${sample}`);
        }
      }));

    const check = isStub ? test.skip : test;
    check(
      `takes longer to say more, and to say it slowly${isStub ? ' (a stub says the same of everything)' : ''}`,
      () =>
        using(async ({ speak }, sentence) => {
          const { length } = await speak(sentence);
          expect((await speak(sentence.repeat(8))).length).toBeGreaterThan(length);
          expect((await speak(sentence.repeat(8), { speed: 0.5 })).length).toBeGreaterThan(
            (await speak(sentence.repeat(8), { speed: 2 })).length,
          );
        }),
    );

    test('leaves out what is none of its phonemes', () =>
      using(async ({ speak }, sentence) => {
        const [first = '', ...others] = sentence;
        expect((await speak(`${first}☃${others.join('')}`)).length).toBe((await speak(sentence)).length);
      }));

    test('says as much as it takes at once, and refuses more than that, and nothing', () =>
      using(async ({ longest, speak }, sentence) => {
        const phoneme = sentence.slice(0, 1);
        expect((await speak(phoneme.repeat(longest))).length).toBeGreaterThan(0);
        for (const none of [phoneme.repeat(longest + 1), '', '☃']) {
          await expect(speak(none)).rejects.toMatchObject({
            code: 'invalid_input',
            message: expect.stringMatching(/phonemes/),
          });
        }
      }));

    test('refuses a voice that it has not, and names those that it has', () =>
      using(async ({ voices, speak }, sentence) => {
        const message = expect.stringContaining(voices[0] ?? '');
        await expect(speak(sentence, { voice: 'nobody' })).rejects.toMatchObject({ code: 'invalid_input', message });
      }));

    test.each([0, -1, Number.NaN, 100])('refuses a speed of %d', (speed) =>
      using(async ({ speak }, sentence) => {
        await expect(speak(sentence, { speed })).rejects.toMatchObject({
          code: 'invalid_input',
          message: expect.stringMatching(/speed/),
        });
      }),
    );
  });
}
