/** How oids are made (docs/rules.md, section 4.1): as numbers, which are exact for the first 2^43 items of a chain. */
import { OID_SLOT_BITS } from '../exchange/layout.ts';

export const ORDER_PAGE_SLOTS = 64;
const SLOTS = 2 ** OID_SLOT_BITS;

export function oidOf(ordinal: number, slot: number): number {
  return ordinal * SLOTS + slot;
}

export function slotOf(oid: number): number {
  return oid % SLOTS;
}
