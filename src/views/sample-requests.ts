/** A request of every type that names what is given; for tests. */
export function requestOf(type: string, user: string, coin: string): Record<string, unknown> {
  switch (type) {
    case 'candleSnapshot':
      return { type, req: { coin, interval: '1m', startTime: 0 } };
    case 'orderStatus':
      return { type, user, oid: 1 };
    case 'preTransferCheck':
      return { type, user, source: user };
    case 'maxBuilderFee':
      return { type, user, builder: user };
    case 'vaultDetails':
      return { type, vaultAddress: user, user };
    case 'borrowLendReserveState':
      return { type, token: 0 };
    case 'marginTable':
      return { type, id: 10 };
    case 'settledOutcome':
      return { type, outcome: 0 };
    case 'tokenDetails':
      return { type, tokenId: `0x${'0'.repeat(32)}` };
    default:
      return { type, user, coin, startTime: 0, interval: '5m', ...(type.startsWith('perpDex') && type !== 'perpDexs' ? { dex: 'x' } : {}) };
  }
}
