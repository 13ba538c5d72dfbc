/**
 * What may be wrong with a request whose signature is of nobody, as a sentence.
 *
 * Looking for it takes dozens of recoveries, so it is done for a few requests a second only: wrong signatures cost nothing to send.
 */
import { HeddleError } from '../base/errors.ts';
import { diagnose } from '../sdk/diagnose.ts';
import type { Signature } from '../sdk/signature.ts';
import type { Chain } from '../sdk/typed-data.ts';
import type { SignaturePool } from '../signatures/signature-pool.ts';

export interface DiagnosisContext {
  readonly chain: Chain;
  readonly signatures: Pick<SignaturePool, 'recover'>;
  readonly isKnown: (address: string) => boolean;
  readonly clock: () => number;
}

const A_SECOND_MAX = 4;

export function diagnosisOf({ chain, signatures, isKnown, clock }: DiagnosisContext): (body: unknown) => Promise<string | undefined> {
  let second = 0;
  let done = 0;
  const recover = async (digest: Uint8Array, { bytes, recovery }: Signature): Promise<`0x${string}` | undefined> => {
    const address = await signatures.recover(digest, bytes, recovery);
    return address === undefined ? undefined : `0x${Buffer.from(address).toString('hex')}`;
  };
  return async (body) => {
    const now = Math.floor(clock() / 1000);
    if (now !== second) [second, done] = [now, 0];
    if (++done > A_SECOND_MAX) return undefined;
    try {
      const found = await diagnose(body, { chain, isKnown, recover });
      return found === undefined ? undefined : `It is a signature of ${found.address}: ${found.causes.join('; ')}.`;
    } catch (error) {
      if (error instanceof HeddleError) return undefined;
      throw error;
    }
  };
}
