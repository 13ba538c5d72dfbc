/** `heddle prove`: a proof about some keys, as one JSON object. It has been verified before it is printed. */
import { proveKey } from '../node/index.ts';

/** Prints. */
export async function proveKeys(dir: string, keys: readonly Uint8Array[]): Promise<void> {
  const { height, root, proof, entries } = await proveKey(dir, keys);
  const json = {
    height,
    root: hex(root),
    proof: hex(proof),
    entries: entries.map(({ key, value }) => ({ key: hex(key), value: value === undefined ? null : hex(value) })),
  };
  process.stdout.write(`${JSON.stringify(json)}\n`);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
