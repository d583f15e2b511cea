/** The files of a zip whose entries are stored as they are, by name: from its central directory (APPNOTE 4.3.12). */
export function unzip(zip: Buffer): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (zip.readUInt16LE(at + 10) !== 0) throw new Error('Expected an entry that is stored');
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const header = zip.readUInt32LE(at + 42);
    const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
    files[zip.toString('utf8', at + 46, at + 46 + nameLength)] = zip.subarray(start, start + zip.readUInt32LE(at + 24));
    at += 46 + nameLength + extra + comment;
  }
  return files;
}
