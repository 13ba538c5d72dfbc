/**
 * The serial executor: transactions one by one, in place, no versions and no logs. The baseline of every benchmark and the reference of
 * every test. Runs the transactions from..to of the block and returns how far it came (less only when a pool is full).
 *
 * With a record it leaves the access list; with a journal it can be undone (after a fault of a parallel run the host uses that).
 */
import { BLK_RECORD, WRK_FAULT } from '../layout';
import { publishCommitted, runInPlace, workerBlock } from './schedule';
import { JournalView, SerialView, TraceView } from './view-in-place';

export function serial<P>(program: P, from: u32, to: u32, journal: bool): u32 {
  const worker = workerBlock(0);
  store<u32>(worker, 0, WRK_FAULT);
  let index = from;
  if (journal) {
    const view = changetype<JournalView>(worker);
    while (index < to && runInPlace<P, JournalView>(program, view, index)) index++;
  } else if (load<u32>(0, BLK_RECORD) != 0) {
    const view = changetype<TraceView>(worker);
    while (index < to && runInPlace<P, TraceView>(program, view, index)) index++;
  } else {
    const view = changetype<SerialView>(worker);
    while (index < to && runInPlace<P, SerialView>(program, view, index)) index++;
  }
  publishCommitted(index);
  return index;
}
