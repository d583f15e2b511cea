const units = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** Settings and messages count in thousands, as disks and cameras do. */
export const megabyte = 1_000_000;

/** A number of bytes in words for a message: `50 MB`, `1.5 GB`, `12 bytes`; 1 KB is 1000 bytes. */
export function describeBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
