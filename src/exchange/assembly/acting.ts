/** What every transaction of a client begins with: its sender, its static checks, its nonce, and whom it acts for (docs/rules.md, 3). */
import { CODE_OK } from '../../base/codes';
import { checkSender, resolveActing, useNonce } from '../../ledger/assembly/ledger';
import {
  KIND_APPROVE_AGENT,
  KIND_APPROVE_BUILDER,
  KIND_DEPOSIT,
  KIND_ISOLATED_MARGIN,
  KIND_LEVERAGE,
  KIND_MULTI_SIG,
  KIND_ORDERS,
  KIND_SCHEDULE_CANCEL,
  KIND_SEND_PERP,
  KIND_TO_SPOT,
  KIND_TWAP,
  KIND_TWAP_CANCEL,
  KIND_WITHDRAW,
} from '../layout';

/** Kinds that agents may not send. */
const STRICT: u32 =
  (1 << KIND_DEPOSIT) |
  (1 << KIND_TO_SPOT) |
  (1 << KIND_SEND_PERP) |
  (1 << KIND_WITHDRAW) |
  (1 << KIND_APPROVE_AGENT) |
  (1 << KIND_MULTI_SIG) |
  (1 << KIND_APPROVE_BUILDER);
/** Kinds that may be sent on behalf of a sub-account or vault. */
const LENDABLE: u32 =
  (1 << KIND_ORDERS) |
  (1 << KIND_DEPOSIT) |
  (1 << KIND_TO_SPOT) |
  (1 << KIND_LEVERAGE) |
  (1 << KIND_ISOLATED_MARGIN) |
  (1 << KIND_SCHEDULE_CANCEL) |
  (1 << KIND_TWAP) |
  (1 << KIND_TWAP_CANCEL);

@inline
export function acting<V>(view: V, tx: usize, kind: u32): u32 {
  return resolveActing<V>(view, tx, ((STRICT >> kind) & 1) != 0, ((LENDABLE >> kind) & 1) != 0);
}

/** Sender, then `wrong` (what the kind's static checks found), nonce, acting. Leaves `actingUser`, `actingAccount` of the ledger. */
export function begin<V>(view: V, tx: usize, kind: u32, wrong: u32): u32 {
  const missing = checkSender<V>(view, tx);
  if (missing != CODE_OK) return missing;
  if (wrong != CODE_OK) return wrong;
  const refused = useNonce<V>(view, tx);
  return refused != CODE_OK ? refused : acting<V>(view, tx, kind);
}
