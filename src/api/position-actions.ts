/** Actions about an account's positions and what runs in its name: leverage, isolated margin, the dead man's switch, TWAPs. */
import type { ActionOf } from '../sdk/wire-actions.ts';
import type { Market } from '../views/index.ts';
import { defaultAnswer, twapAnswer, twapCancelAnswer } from './exchange-responses.ts';
import { marketNumber, PRICE_REFUSED, sizeOf, ticksOf } from './ledger-numbers.ts';
import { type ActionContext, type BodyOf, type Refusal, refusal, type Translation } from './translation.ts';

export function updateLeverageAction({ asset, isCross, leverage }: ActionOf<'updateLeverage'>): Translation {
  return {
    body: { kind: 'updateLeverage', market: marketNumber(asset), leverage: marketNumber(leverage), isolated: !isCross },
    answer: defaultAnswer({ kind: 'updateLeverage', asset }),
  };
}

/** `ntli` is in quote units; `isBuy` has no effect, as in the original. */
export function updateIsolatedMarginAction({ asset, ntli }: ActionOf<'updateIsolatedMargin'>): Translation {
  return isolatedMargin({ kind: 'isolatedMargin', market: marketNumber(asset), amount: BigInt(ntli) });
}

export function topUpIsolatedOnlyMarginAction({ asset, leverage }: ActionOf<'topUpIsolatedOnlyMargin'>): Translation | Refusal {
  const match = /^(\d{1,9})(?:\.0*)?$/.exec(leverage);
  if (match === null) return refusal('Invalid leverage value');
  return isolatedMargin({ kind: 'isolatedMargin', market: marketNumber(asset), leverage: Number(match[1]) });
}

function isolatedMargin(body: BodyOf<'isolatedMargin'>): Translation {
  return { body, answer: defaultAnswer({ kind: 'isolatedMargin', asset: body.market }) };
}

export function scheduleCancelAction({ time }: ActionOf<'scheduleCancel'>): Translation {
  return {
    body: { kind: 'scheduleCancel', ...(time === undefined ? {} : { timeMs: time }) },
    answer: defaultAnswer({ kind: 'scheduleCancel' }),
  };
}

export function twapOrderAction(action: ActionOf<'twapOrder'>, { markets, exchange }: ActionContext): Translation | Refusal {
  const { a, b, s, r, m, t } = action.twap;
  const market = markets[a];
  const start = action.details?.t ?? undefined;
  const stop = action.details?.s ?? undefined;
  if (isNoPrice(start?.p, market) || isNoPrice(stop, market)) return refusal('Invalid TWAP trigger or stop price.');
  const body: BodyOf<'twap'> = {
    kind: 'twap',
    market: marketNumber(a),
    side: b ? 'buy' : 'sell',
    sizeLots: sizeOf(s, market),
    minutes: marketNumber(m),
    ...(r ? { reduceOnly: true } : {}),
    ...(t ? { randomize: true } : {}),
    ...(start === undefined ? {} : { start: { priceTicks: ticksOf(start.p, market), above: start.a } }),
    ...(stop === undefined ? {} : { stopTicks: ticksOf(stop, market) }),
  };
  return { body, answer: twapAnswer({ kind: 'twap', asset: a, minutes: m, minimum: exchange.twapMinNotional }) };
}

function isNoPrice(text: string | undefined, market: Market | undefined): boolean {
  return text !== undefined && market !== undefined && ticksOf(text, market) === PRICE_REFUSED;
}

export function twapCancelAction({ a, t }: ActionOf<'twapCancel'>): Translation {
  return {
    body: { kind: 'twapCancel', market: marketNumber(a), id: marketNumber(t) },
    answer: twapCancelAnswer({ kind: 'twapCancel', asset: a }),
  };
}
