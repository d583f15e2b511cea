import { parseColour } from './colour.js';

/** What a prompt asks for, as far as it can be done without a model that reads prompts. */
export interface EditWishes {
  /** What the background is to be; null: what it is. */
  background:
    | { kind: 'transparent' }
    | { kind: 'plain' | 'studio'; colour: string }
    | { kind: 'gradient'; from: string; to: string }
    | null;
  shadow: 'soft' | 'contact' | 'drop' | null;
  /** -1..1 each; 0 leaves the light as it is. */
  light: { brightness: number; warmth: number; contrast: number };
  sharpen: boolean;
  /** Whether something is to go away, which a mask says where. */
  erase: boolean;
  /** Words that mean something and were not understood, in their order. */
  unknown: string[];
}

/**
 * Reads a prompt by the small grammar that the README documents: backgrounds, shadows, light, sharpness and removal, in
 * any order. Whatever else it says is listed as not understood rather than passed over.
 */
export function readEditPrompt(prompt: string): EditWishes {
  const wishes: EditWishes = {
    background: null,
    shadow: null,
    light: { brightness: 0, warmth: 0, contrast: 0 },
    sharpen: false,
    erase: false,
    unknown: [],
  };
  let rest = ` ${prompt
    .toLowerCase()
    .replace(/[^\p{L}\p{N}#()., -]+/gu, ' ')
    .replace(/\s+/g, ' ')} `;
  for (const { pattern, apply } of rules) {
    rest = rest.replace(pattern, (...match) => {
      apply(wishes, match as unknown as string[]);
      return ' | ';
    });
  }
  wishes.unknown.push(...meaningful(rest));
  return wishes;
}

interface Rule {
  pattern: RegExp;
  /** `match` is that of the pattern: all of it, then its groups. */
  apply(wishes: EditWishes, match: string[]): void;
}

const tone =
  '(?:(?:clean|plain|pure|solid|simple|smooth|seamless|neutral|bright|soft|professional|minimal|minimalist|nice|new) )*';
const scene = '(?:background|backdrop|back ground|sweep|cyclorama|seamless|surface)';
const colourWords = '((?:off|light|dark|pale|deep|hot)?[ -]?[a-z]+|#[0-9a-f]{3,8})';
const lead =
  '(?:(?:on|onto|with|in|in front of|against|over|to|into|and|make|replace|change|put|place|use|add|set) )*(?:the background (?:with|to|by|into) )?(?:a |an |the )?';

const rules: Rule[] = [
  {
    pattern: / (?:remove|erase|delete|cut out|without|no|transparent)(?: the| a| any)? (?:background|backdrop)\b/g,
    apply: (wishes) => {
      wishes.background = { kind: 'transparent' };
    },
  },
  {
    pattern: new RegExp(` ${lead}gradient (?:${scene} )?from ${colourWords} to ${colourWords}(?: ${scene})?\\b`, 'g'),
    apply: (wishes, [, from = '', to = '']) => {
      const [first, last] = [colourOf(from), colourOf(to)];
      if (first && last) wishes.background = { kind: 'gradient', from: first, to: last };
      else wishes.unknown.push('gradient');
    },
  },
  {
    pattern: new RegExp(
      ` ${lead}${tone}(?:${colourWords} )?${tone}(photo ?studio|studio)? ?(gradient )?${scene}\\b`,
      'g',
    ),
    apply: (wishes, [whole = '', colour = '', studio, gradient]) => {
      const name = colour === 'studio' ? '' : colour;
      const found = name === '' || isTone(name) ? null : colourOf(name);
      if (name !== '' && !found && !isTone(name)) wishes.unknown.push(...meaningful(whole));
      else if (gradient) wishes.background = { kind: 'gradient', from: '#ffffff', to: found ?? '#d5d8dc' };
      else if (studio || colour === 'studio') wishes.background = { kind: 'studio', colour: found ?? '#f4f4f4' };
      else wishes.background = { kind: 'plain', colour: found ?? '#ffffff' };
    },
  },
  {
    pattern: / (?:no|without|remove)(?: the| any| a)? shadows?\b/g,
    apply: (wishes) => {
      wishes.shadow = null;
    },
  },
  {
    pattern:
      / (?:with |and |add |a |an |the |cast |casting )*(?:(?:soft|subtle|gentle|natural|light|realistic|slight|faint|hard|strong|dark|long) )*(drop|contact|cast|ground|grounding)? ?shadows?\b(?: (?:below|beneath|under|underneath)(?: it| the product)?)?/g,
    apply: (wishes, [whole = '', kind]) => {
      const isContact =
        kind === 'contact' || kind === 'ground' || kind === 'grounding' || /below|beneath|under/.test(whole);
      wishes.shadow = kind === 'drop' || kind === 'cast' ? 'drop' : isContact ? 'contact' : 'soft';
    },
  },
  light(
    / (?:make (?:it|the picture|the photo|the image) )?(?:much )?(?:brighter|brighten|lighter|well[ -]lit|bright (?:light|lighting)|more light)\b/g,
    'brightness',
    0.5,
  ),
  light(
    / (?:make (?:it|the picture|the photo|the image) )?(?:much )?(?:darker|darken|dimmer|moody|low[ -]key)\b/g,
    'brightness',
    -0.5,
  ),
  light(
    / (?:make (?:it|the picture|the photo|the image) )?(?:warmer|warm (?:light|lighting|tones?|colou?rs?)|golden (?:hour|light)|sunset light)\b/g,
    'warmth',
    0.5,
  ),
  light(
    / (?:make (?:it|the picture|the photo|the image) )?(?:cooler|colder|cool (?:light|lighting|tones?|colou?rs?)|cold (?:light|lighting|tones?))\b/g,
    'warmth',
    -0.5,
  ),
  light(/ (?:(?:more|higher|high|increase(?: the)?|add) contrast|contrasty|punchier|punchy)\b/g, 'contrast', 0.5),
  light(/ (?:(?:less|lower|low|reduce(?: the)?) contrast|flatter)\b/g, 'contrast', -0.5),
  {
    pattern:
      / (?:and )?(?:make it )?(?:sharpen(?:ed)?|sharper|sharp(?: details?| focus)?|crisp(?:er)?(?: details?| edges)?|enhance(?: the)? details?)\b/g,
    apply: (wishes) => {
      wishes.sharpen = true;
    },
  },
  {
    pattern:
      / (?:remove|erase|delete|clean up|take (?:out|away)|get rid of)\b(?: (?:the|this|that|these|those|all))?(?: (?:object|thing|person|people|man|woman|text|logo|watermark|hand|tag|label|stain|spot|wire|cable|it|them|this|area|part|marked|masked)s?)*(?: (?:here|from (?:it|the (?:picture|photo|image))))?/g,
    apply: (wishes) => {
      wishes.erase = true;
    },
  },
];

function light(pattern: RegExp, axis: keyof EditWishes['light'], amount: number): Rule {
  return {
    pattern,
    apply: (wishes) => {
      wishes.light[axis] += amount;
    },
  };
}

const toneWords = new Set(tone.match(/[a-z]+/g));

function isTone(word: string): boolean {
  return toneWords.has(word.trim()) || /^(and|with|on|a|the|studio)$/.test(word.trim());
}

/** Shades that people write in two words, or otherwise than CSS does. */
const shades: Record<string, string> = {
  'off white': '#faf9f6',
  cream: '#fffdd0',
  'light grey': '#d3d3d3',
  'light gray': '#d3d3d3',
  'dark grey': '#555555',
  'dark gray': '#555555',
  'pale grey': '#e8e8e8',
  'pale gray': '#e8e8e8',
  charcoal: '#36454f',
  sand: '#e3d5b8',
};

function colourOf(words: string): string | null {
  const name = words.trim().replace(/-/g, ' ');
  const colour = shades[name] ?? name.replace(/ /g, '');
  return parseColour(colour) ? colour : null;
}

// Words that ask for nothing: what is in the picture anyway, and how people are polite.
const idle = new Set(
  'a an and the of on in at to by with for from it its is this that as be or please keep make product item photo photograph picture image shot style professional high quality look looking so very clean up e commerce ecommerce catalog catalogue listing shop store marketplace object subject same unchanged exactly my our put place set use add create give turn into but not change rest only'.split(
    ' ',
  ),
);

function meaningful(text: string): string[] {
  return text.split(/[^\p{L}\p{N}#-]+/u).filter((word) => word !== '' && !idle.has(word));
}
