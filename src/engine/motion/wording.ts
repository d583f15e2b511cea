import type { CameraMove } from '../routing/order.js';

/** What the words of a prompt say about the motion of a clip; what they leave open is null. */
export interface Wording {
  /** Null: no camera move is named. */
  camera: CameraMove | null;
  /** The product itself turns. */
  turns: boolean;
  /** The product stands on a studio floor. */
  studio: boolean;
  /** The clip ends as it begins. */
  loops: boolean;
  /** How much of the picture the shot is about. */
  framing: 'close' | 'wide' | null;
}

/** Of the reach of an axis, a move that is neither called slow nor fast. */
const usual = 4;

const left = /\b(to the )?left(wards?)?\b/;
const down = /\b(down(wards?)?|descend(s|ing)?|lowers?|sinks?)\b/;

type Rule = [words: RegExp, move: (around: string) => CameraMove];

/** In the order in which they are looked for; several may apply at once. */
const rules: Rule[] = [
  [
    /\b(zoom(s|ed|ing)?|pulls?|pulling|moves?|moving|dolly|dollies|tracks?|eases?) (slowly |gently |quickly |slightly )?(out|back(wards?)?|away)\b|\bpull[- ]?(back|out)\b|\bzoom[- ]?out\b|\breveal(s|ing)?\b/,
    () => ({ zoom: -usual }),
  ],
  [
    /\b(zoom(s|ed|ing)?|push(es|ing)?|moves?|moving|dolly|dollies|eases?|flies|fly(ing)?) (slowly |gently |quickly |slightly )?(in(to|wards?)?|forwards?|closer|towards?)\b|\bpush[- ]?in\b|\bzoom[- ]?in\b|\bdolly[- ]?in\b|\bcloser\b/,
    () => ({ zoom: usual }),
  ],
  [/\bpan(s|ned|ning)?\b|\bsweeps?\b/, (around) => ({ pan: left.test(around) ? -usual : usual })],
  [/\btilt(s|ed|ing)?\b/, (around) => ({ tilt: down.test(around) ? -usual : usual })],
  [
    /\b(truck|slide|glide|track|dolly|travel)(s|ed|ing)?\b(?! (slowly |gently |quickly |slightly )?(in|out|back|away|forward|toward|closer))|\bside(ways| to side)\b/,
    (around) => ({ truck: left.test(around) ? -usual : usual }),
  ],
  [
    /\b(pedestal|crane|boom|jib)(s|ed|ing)?\b|\b(camera|shot|view) (slowly |gently )?(rises?|rising|ascends?|lifts?|lowers?|descends?)\b/,
    (around) => ({ pedestal: down.test(around) ? -usual : usual }),
  ],
  [
    /\b(orbit|arc|circle)(s|ed|ing)?\b/,
    (around) => (left.test(around) ? { truck: -usual, pan: usual } : { truck: usual, pan: -usual }),
  ],
  [
    /\broll(s|ed|ing)?\b|\bdutch\b/,
    (around) => ({ roll: left.test(around) || /counter/.test(around) ? -usual : usual }),
  ],
  [/\b(drone|aerial|flyover|bird'?s?[- ]eye)\b/, () => ({ pedestal: usual, zoom: usual / 2 })],
  [
    /\b(static|still|locked([- ]off)?|fixed|tripod|motionless)\b(?=.*\b(camera|shot|frame|view)\b)|\b(camera|shot|frame) (is |stays? |remains? )?(static|still|fixed|locked)\b|\bno camera (move|movement|motion)\b/,
    () => ({}),
  ],
];

const turning = /\bturn[- ]?table\b|\b(rotat(es?|ing|ion)|spin(s|ning)?|turn(s|ing)? (around|round))\b|\b360\b/;
const studio =
  /\bstudio\b|\b(on|against|over|with) (a |an )?(clean |plain |pure |seamless |bright )*(white|grey|gray|neutral) (background|backdrop|floor|surface)\b|\bseamless backdrop\b/;
const looping = /\b(seamless(ly)? )?loop(s|ed|ing|able)?\b/;
const near = /\bclose[- ]?ups?\b|\bmacro\b|\bdetails?\b|\btight (shot|frame)/;
const far = /\bwide\b|\bestablishing\b|\bfull (shot|view|body)\b|\blong shot\b/;

/** What the words of a prompt, in English, say about motion. */
export function readWording(prompt: string): Wording {
  const text = prompt.toLowerCase();
  const strength = strengthOf(text);
  // A direction belongs to the move in its own part of the sentence: "pan left, then tilt up".
  const parts = text.split(/[.,;:!?]|\b(?:then|while|before|after|and then)\b/);
  const moves = parts.flatMap((part) => rules.filter(([words]) => words.test(part)).map(([, move]) => move(part)));
  const camera = moves.length === 0 ? null : scaled(Object.assign({}, ...moves) as CameraMove, strength);
  return {
    camera,
    turns: turning.test(text),
    studio: studio.test(text),
    loops: looping.test(text),
    framing: near.test(text) ? 'close' : far.test(text) ? 'wide' : null,
  };
}

/** Every axis of a move times a factor, within -10..10. */
export function scaled(move: CameraMove, factor: number): CameraMove {
  const values = Object.entries(move).map(([axis, value]) => [axis, Math.min(Math.max(value * factor, -10), 10)]);
  return Object.fromEntries(values) as CameraMove;
}

function strengthOf(text: string): number {
  if (/\b(slow(ly)?|subtle|subtly|gentle|gently|slight(ly)?|soft(ly)?|calm)\b/.test(text)) return 0.6;
  if (/\b(fast|quick(ly)?|rapid(ly)?|dramatic(ally)?|dynamic|energetic|whip|strong(ly)?)\b/.test(text)) return 1.7;
  return 1;
}
