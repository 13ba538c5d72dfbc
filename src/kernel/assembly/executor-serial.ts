/**
 * The serial executor: transactions one by one, in place, no versions and no logs. The baseline of every benchmark and the reference of
 * every test. Runs the transactions from..to of the block and returns how far it came (less only when a pool is full).
 *
 * With a record it leaves the access list.
 */
import { BLK_RECORD, WRK_FAULT, WRK_WORK_SINK } from '../layout';
import { LOOK_AHEAD, publishCommitted, runInPlace, transactionAt, workerBlock } from './schedule';
import { SerialView, TraceView } from './view-in-place';

export function serial<P>(program: P, from: u32, to: u32): u32 {
  const worker = workerBlock(0);
  store<u32>(worker, 0, WRK_FAULT);
  let index: u32;
  if (load<u32>(0, BLK_RECORD) != 0) index = inOrder<P, TraceView>(program, changetype<TraceView>(worker), from, to);
  else index = inOrder<P, SerialView>(program, changetype<SerialView>(worker), from, to);
  publishCommitted(index);
  return index;
}

function inOrder<P, V>(program: P, view: V, from: u32, to: u32): u32 {
  let touched: u32 = 0;
  let index = from;
  while (index < to) {
    if (index + LOOK_AHEAD < to) touched ^= program.lookAhead(transactionAt(index + LOOK_AHEAD));
    if (!runInPlace<P, V>(program, view, index)) break;
    index++;
  }
  store<u32>(changetype<usize>(view), touched, WRK_WORK_SINK);
  return index;
}
