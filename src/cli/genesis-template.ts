/** `heddle genesis`: the genesis of the development chain, spelt out, for whoever writes one of his own. */
import { devnetGenesis } from '../devnet/devnet-genesis.ts';
import { encodeGenesis } from '../node/index.ts';

export function printGenesis(): void {
  const json: unknown = JSON.parse(new TextDecoder().decode(encodeGenesis(devnetGenesis())));
  process.stdout.write(`${JSON.stringify(json, undefined, 2)}\n`);
}
