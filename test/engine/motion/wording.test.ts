import { describe, expect, test } from 'vitest';
import { readWording, scaled } from '#src/engine/motion/wording.js';

describe('readWording', () => {
  test.each([
    ['The camera slowly zooms in', { zoom: 2.4 }],
    ['Subtle camera push in, natural motion, cinematic lighting', { zoom: 2.4 }],
    ['camera moves closer to the watch', { zoom: 4 }],
    ['The camera pulls back quickly to reveal the roof', { zoom: -6.8 }],
    ['Zoom out', { zoom: -4 }],
    ['Camera pans right over a dense city', { pan: 4 }],
    ['pan to the left, then tilt up', { pan: -4, tilt: 4 }],
    ['Tilt down slowly', { tilt: -2.4 }],
    ['The camera slides left', { truck: -4 }],
    ['tracking shot to the left', { truck: -4 }],
    ['The camera rises gently', { pedestal: 2.4 }],
    ['crane down', { pedestal: -4 }],
    ['An orbit around the statue', { truck: 4, pan: -4 }],
    ['The camera rolls clockwise', { roll: 4 }],
    ['A drone shot over a coastal city at golden hour, cinematic', { pedestal: 4, zoom: 2 }],
    ['A static shot of a chair', {}],
    ['the camera stays still', {}],
  ])('reads "%s" as %j', (prompt, camera) => {
    expect(readWording(prompt).camera).toEqual(camera);
  });

  test.each(['A chair in a room', 'The character turns and smiles', 'Still life with apples', 'A company logo'])(
    'finds no camera move in "%s"',
    (prompt) => {
      expect(readWording(prompt).camera).toBeNull();
    },
  );

  test.each([
    ['Product showcase video, rotating 360 degrees', { turns: true, studio: false, loops: false }],
    ['A turntable of the shoe on a white background', { turns: true, studio: true, loops: false }],
    ['The lamp in a studio, seamless loop', { turns: false, studio: true, loops: true }],
    ['A white house by the sea', { turns: false, studio: false, loops: false }],
  ])('knows from "%s" what is to be filmed', (prompt, wishes) => {
    expect(readWording(prompt)).toMatchObject(wishes);
  });

  test.each([
    ['A close-up of the dial', 'close'],
    ['Wide establishing shot', 'wide'],
    ['The dial', null],
  ])('knows how near "%s" is', (prompt, framing) => {
    expect(readWording(prompt).framing).toBe(framing);
  });
});

test('scaled keeps moves within their reach', () => {
  expect(scaled({ zoom: 8, pan: -3 }, 2)).toEqual({ zoom: 10, pan: -6 });
});
