/** Funding that a position pays or gets at the hour (docs/rules.md, 6): the same rounding as the sweep's, payers up, receivers down. */
const RATE_ONE = 10_000_000_000n;

/** In quote units; negative: paid. */
export function fundingPayment(lots: bigint, indexTicks: number, unit: bigint, rate: bigint): bigint {
  const value = (lots < 0n ? -lots : lots) * BigInt(indexTicks) * unit * (rate < 0n ? -rate : rate);
  const pays = lots > 0n === rate > 0n;
  return pays ? -((value + RATE_ONE - 1n) / RATE_ONE) : value / RATE_ONE;
}

/** The hourly rate that a mean premium gives (docs/rules.md, 5), in 10^-10. */
export function fundingRate(
  premium: bigint,
  {
    fundingClamp,
    fundingInterest,
    fundingCap,
  }: { readonly fundingClamp: bigint; readonly fundingInterest: bigint; readonly fundingCap: bigint },
): bigint {
  const bounded = (value: bigint, most: bigint): bigint => (value > most ? most : value < -most ? -most : value);
  return bounded((premium + bounded(fundingInterest - premium, fundingClamp)) / 8n, fundingCap);
}
