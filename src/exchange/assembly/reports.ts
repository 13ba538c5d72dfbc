/** Price reports and votes to delist: the transactions of reporters (docs/rules.md, 5). */
import {
  CODE_INVALID_PRICE,
  CODE_MARKET_HALTED,
  CODE_NOT_AUTHORISED,
  CODE_OK,
  CODE_PRICE_FAR_OFF,
  CODE_UNKNOWN_MARKET,
} from '../../base/codes';
import { create } from '../../kernel/assembly/record';
import { BLK_TIME_MS, TX_ITEMS, TX_PAYLOAD, TX_SENDER } from '../../kernel/layout';
import {
  CFG_FAR_OFF_PPM,
  CFG_PERP_WEIGHTS,
  CFG_SPOT_WEIGHTS,
  EXC_DELISTINGS,
  EXC_MARKET_COUNT,
  EXC_REPORTER_TABLE,
  EXC_REPORTERS,
  FIELD_0,
  KIND_DELIST,
  KIND_ORACLE,
  ORACLE_ITEM_BYTES,
  ORACLE_PERP,
  ORACLE_SPOT,
  SOURCES_MAX,
  STATUS_DELISTED,
} from '../layout';
import { begin } from './acting';
import { weightedMedian } from './averages';
import { magnitude } from './margin';
import { Delisting, Market, marketAt, Report, reportAt } from './records';

const NOBODY: u32 = 0xffffffff;

/** The index of the reporter with this account number. */
function reporterOf(account: u32): u32 {
  const table = <usize>load<u32>(0, EXC_REPORTER_TABLE);
  const count = load<u32>(0, EXC_REPORTERS);
  for (let i: u32 = 0; i < count; i++) if (load<u32>(table + ((<usize>i) << 4), 8) == account) return i;
  return NOBODY;
}

function checkReport(tx: usize): u32 {
  if (reporterOf(load<u32>(tx, TX_SENDER)) == NOBODY) return CODE_NOT_AUTHORISED;
  const count = <u32>load<u16>(tx, TX_ITEMS);
  let item = tx + TX_PAYLOAD;
  for (let i: u32 = 0; i < count; i++, item += ORACLE_ITEM_BYTES) {
    const number = load<u32>(item);
    if (number >= load<u32>(0, EXC_MARKET_COUNT)) return CODE_UNKNOWN_MARKET;
    const ticks = marketAt(number).tickCount;
    // Spot prices, and perpetual prices right behind them.
    for (let source: u32 = 0; source < SOURCES_MAX * 2; source++) {
      if (load<u32>(item + ((<usize>source) << 2), ORACLE_SPOT) >= ticks) return CODE_INVALID_PRICE;
    }
  }
  return CODE_OK;
}

@inline
function isFarOff(market: Market, price: u32): bool {
  const index = <i64>market.index;
  return index != 0 && magnitude(<i64>price - index) * 1000000 > index * <i64>load<u32>(0, CFG_FAR_OFF_PPM);
}

/** Kind 3. */
export function report<V>(view: V, tx: usize): u32 {
  const wrong = begin<V>(view, tx, KIND_ORACLE, checkReport(tx));
  if (wrong != CODE_OK) return wrong;
  const reporter = reporterOf(load<u32>(tx, TX_SENDER));
  const count = <u32>load<u16>(tx, TX_ITEMS);
  const now = load<u64>(0, BLK_TIME_MS);
  let accepted: u32 = 0;
  let item = tx + TX_PAYLOAD;
  for (let i: u32 = 0; i < count; i++, item += ORACLE_ITEM_BYTES) {
    const number = load<u32>(item);
    const market = marketAt(number);
    if ((market.status & STATUS_DELISTED) != 0) continue;
    const hyperp = market.hyperp != 0;
    const spot = hyperp ? 0 : weightedMedian(item + ORACLE_SPOT, CFG_SPOT_WEIGHTS);
    let perp = weightedMedian(item + ORACLE_PERP, CFG_PERP_WEIGHTS);
    if (perp != 0 && isFarOff(market, perp)) perp = 0;
    if (hyperp ? perp == 0 : spot == 0 || isFarOff(market, spot)) continue;
    const record = create<V, Report>(view, reportAt(number, reporter));
    record.indexTicks = spot;
    record.perpTicks = perp;
    record.timeMs = now;
    accepted++;
  }
  return accepted == 0 ? CODE_PRICE_FAR_OFF : CODE_OK;
}

function checkDelist(tx: usize): u32 {
  const number = load<u32>(tx, FIELD_0);
  if (number >= load<u32>(0, EXC_MARKET_COUNT)) return CODE_UNKNOWN_MARKET;
  if ((marketAt(number).status & STATUS_DELISTED) != 0) return CODE_MARKET_HALTED;
  return reporterOf(load<u32>(tx, TX_SENDER)) == NOBODY ? CODE_NOT_AUTHORISED : CODE_OK;
}

/** Kind 24. */
export function delist<V>(view: V, tx: usize): u32 {
  const wrong = begin<V>(view, tx, KIND_DELIST, checkDelist(tx));
  if (wrong != CODE_OK) return wrong;
  const at = (load<u32>(0, EXC_DELISTINGS) >> 5) + load<u32>(tx, FIELD_0);
  create<V, Delisting>(view, at).voted |= (<u64>1) << reporterOf(load<u32>(tx, TX_SENDER));
  return CODE_OK;
}
