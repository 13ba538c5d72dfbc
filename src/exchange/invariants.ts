/**
 * What must hold after every block (docs/rules.md, 9), said once: tests, scenarios and the running node look at the same findings.
 * The kernel takes the sums anew from the records (`src/exchange/assembly/audit.ts`), on every worker; here they become sentences.
 */

/** Sums and counts over the whole state, taken anew from its records; money in quote units. */
export interface AuditResult {
  /** Everything that accounts, markets, rewards and the treasury hold, and what has left for the outside. */
  readonly totalEquity: bigint;
  /** Lots: what sizes do not sum to zero by, and how far open interest is from the sum of long sizes, over all markets. */
  readonly openInterestImbalance: bigint;
  readonly negativeAccounts: number;
  /** Accounts whose sums are not those of their positions and orders, or whose orders do not stand where they say. */
  readonly accountsWithWrongSums: number;
  readonly crossedBooks: number;
  readonly ordersWithoutMargin: number;
  /** Accounts below their maintenance margin, the backstop vault not counted. */
  readonly breaches: number;
  readonly backstopEquity: bigint;
  readonly treasury: bigint;
  /** Deficits that the treasury has paid because nobody else could. */
  readonly covered: bigint;
}

/** What an audit found that must not be, a sentence each; `totalEquity` is what genesis gave. */
export function violations(audit: AuditResult, totalEquity: bigint): string[] {
  const found: string[] = [];
  if (audit.totalEquity !== totalEquity) {
    found.push(`equity is ${audit.totalEquity}, genesis gave ${totalEquity}: ${audit.totalEquity - totalEquity} units came out of nothing`);
  }
  if (audit.openInterestImbalance !== 0n) found.push(`sizes of markets and open interest are ${audit.openInterestImbalance} lots apart`);
  if (audit.negativeAccounts !== 0) found.push(`${audit.negativeAccounts} accounts are negative`);
  if (audit.crossedBooks !== 0) found.push(`${audit.crossedBooks} books are crossed`);
  if (audit.ordersWithoutMargin !== 0) found.push(`${audit.ordersWithoutMargin} orders have no margin or no place`);
  if (audit.accountsWithWrongSums !== 0)
    found.push(`the sums of ${audit.accountsWithWrongSums} accounts are not those of their positions and orders`);
  return found;
}
