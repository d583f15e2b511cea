/** The base64 text of a stream, piece by piece: three bytes are four characters, so what is left over of a chunk goes in front of the next. */
export async function* toBase64(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = joined.length - (joined.length % 3);
    yield joined.toString('base64', 0, whole);
    rest = joined.subarray(whole);
  }
  yield rest.toString('base64');
}
