import { sniff } from '../media/sniff.js';

export type MediaFormat = 'mp4' | 'png' | 'jpg' | 'webp';

export const mediaTypes = {
  mp4: 'video/mp4',
  png: 'image/png',
  jpg: 'image/jpeg',
  webp: 'image/webp',
} satisfies Record<MediaFormat, string>;

/** How many bytes of a file `mediaFormat` looks at. */
export const headBytes = 4096;

/** What a result is by its first bytes, or null if it is nothing that `kind` allows. */
export function mediaFormat(head: Buffer, kind: 'video' | 'image'): MediaFormat | null {
  const sniffed = sniff(head);
  if (kind === 'image') {
    if (!('format' in sniffed)) return null;
    const { format } = sniffed;
    if (format === 'jpeg') return 'jpg';
    return format === 'png' || format === 'webp' ? format : null;
  }
  const isIsoMedia = head.subarray(4, 8).toString('latin1') === 'ftyp';
  return isIsoMedia && !('format' in sniffed) && !sniffed.isPicture ? 'mp4' : null;
}
