/** The bytes of a NumPy file of 32-bit floats of this shape (format version 1.0). */
export function npy(data: Float32Array, shape: readonly number[], kind = '<f4'): Buffer {
  const text = `{'descr': '${kind}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const header = Buffer.from(`${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  const magic = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
  return Buffer.concat([magic, length, header, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}
