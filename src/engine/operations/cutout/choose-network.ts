import { isDrawing, measurePicture } from '../../../models/pixels/picture-facts.js';
import type { ImageFacts } from '../../media/media.js';
import { facesIn } from '../faces/find-faces.js';
import type { ModelNeed } from '../operation.js';
import { middleOf } from '../picture-middle.js';
import { suitedTo } from '../suited-to.js';
import type { PixelReader, Workbench } from '../workbench.js';

/** Where the model for this content is found: the task is the slot of photographs. */
const slots = { photograph: 'background-removal', drawing: 'drawing', person: 'person' } as const;

type Content = keyof typeof slots;

/** A general model, those for drawings and people if there are any, and what tells people; a model that was named is for all pictures. */
export function cutoutNeeds(wanted: string): ModelNeed[] {
  const task = 'background-removal';
  if (wanted !== 'auto') return [{ task, wanted }];
  return [
    { task, wanted, misfit: suitedTo('photograph') },
    { task, slot: slots.drawing, wanted, misfit: suitedTo('drawing'), optional: true },
    { task, slot: slots.person, wanted, misfit: suitedTo('person'), optional: true },
    { task: 'face-detection', wanted, optional: true },
  ];
}

/** The slot of the model for a picture, and what was seen in it as far as there was a choice. */
export interface NetworkChoice {
  slot: string;
  facts: { content?: Content; contentReason?: string };
}

interface Sight {
  source: PixelReader;
  facts: ImageFacts;
  /** As asked for: the id of a model, or `auto`. */
  model: string;
}

/** Chooses by what is in the picture, as far as models for more than photographs are installed. */
export async function chooseNetwork(bench: Workbench, sight: Sight): Promise<NetworkChoice> {
  const seesDrawings = sight.model === 'auto' && bench.has(slots.drawing);
  const seesPeople = sight.model === 'auto' && bench.has(slots.person) && bench.has('face-detection');
  if (!seesDrawings && !seesPeople) return { slot: slots.photograph, facts: {} };
  const choice = (content: Content, contentReason: string) => ({
    slot: slots[content],
    facts: { content, contentReason },
  });
  if (seesDrawings && (await isDrawn(sight.source))) return choice('drawing', 'flat areas with sharp edges');
  const width = seesPeople ? await widestFace(bench, sight.facts) : 0;
  if (width >= leastFace) return choice('person', `a face ${Math.round(100 * width)} % as wide as the picture is long`);
  return choice('photograph', seesPeople ? 'no face to speak of' : 'no flat areas with sharp edges');
}

/** Pixels a side of its middle tell a drawing from a photograph. */
const lookedAt = 512;

async function isDrawn(source: PixelReader): Promise<boolean> {
  return isDrawing(measurePicture(await middleOf(source, lookedAt)));
}

/** Of somebody who stands from head to foot in the picture it is about 0.06 of the height, in a crowd or on a label less. */
const leastFace = 0.03;

/** Width of the largest face, in parts of the longest side of the picture. */
async function widestFace(bench: Workbench, facts: ImageFacts): Promise<number> {
  const faces = await facesIn(bench, bench.input('image'), facts);
  return Math.max(0, ...faces.map(({ width }) => width)) / Math.max(facts.width, facts.height);
}
