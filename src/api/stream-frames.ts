/**
 * Text frames as a server sends them over WebSocket (RFC 6455, 5.2): whole messages, without a mask, several in one buffer.
 *
 * The library makes two buffers of each message, and a write of many buffers costs more than making one of them.
 * Not here: frames that say how a connection is; those are the library's, which writes to the same socket.
 */

/** The last frame of a message, and a text. */
const FINAL_TEXT = 0x81;
/** Lengths up to here stand in the second byte; there it says whether 2 or 8 bytes of length follow. */
const LENGTH_MAX = 125;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const U16_MAX = 0xffff;

export function textFrames(texts: readonly string[]): Buffer {
  const lengths = texts.map(lengthOf);
  let bytes = 0;
  for (const length of lengths) bytes += headBytes(length) + length;
  const buffer = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (let i = 0; i < texts.length; i++) {
    at = putHead(buffer, at, lengths[i] as number);
    at += buffer.write(texts[i] as string, at);
  }
  return buffer;
}

const lengthOf = (text: string): number => Buffer.byteLength(text);

function headBytes(length: number): number {
  return length <= LENGTH_MAX ? 2 : length <= U16_MAX ? 4 : 10;
}

/** Returns where the text begins. */
function putHead(buffer: Buffer, at: number, length: number): number {
  buffer[at] = FINAL_TEXT;
  if (length <= LENGTH_MAX) {
    buffer[at + 1] = length;
    return at + 2;
  }
  if (length <= U16_MAX) {
    buffer[at + 1] = LENGTH_16;
    return buffer.writeUInt16BE(length, at + 2);
  }
  buffer[at + 1] = LENGTH_64;
  buffer.writeUInt32BE(Math.floor(length / 2 ** 32), at + 2);
  return buffer.writeUInt32BE(length % 2 ** 32, at + 6);
}
