/** Frames that this side makes, read by the library. */
import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import * as ws from 'ws';
import { textFrames } from './stream-frames.ts';

/** Not in the types of the package. */
const { Receiver } = ws as unknown as { readonly Receiver: new (options: object) => Writable };

test('texts of every length come out of their frames', async () => {
  const lengths = [0, 1, 124, 125, 126, 127, 128, 65_535, 65_536, 200_000];
  const texts = lengths.flatMap((length) => ['x'.repeat(length), 'é'.repeat(length / 2), '漢'.repeat(length / 3)]);
  const received: string[] = [];
  const receiver = new Receiver({ isServer: false, maxPayload: 2 ** 20 });
  receiver.on('message', (data: Buffer) => received.push(String(data)));
  await new Promise<void>((resolve, reject) => {
    receiver.on('error', reject);
    receiver.write(textFrames(texts), () => resolve());
  });
  assert.deepEqual(received, texts);
  assert.equal(textFrames([]).length, 0);
});
