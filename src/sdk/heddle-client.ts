/**
 * The client of a node: questions, signed actions, streams. Runs in Node.js and in browsers, on the platform's fetch and WebSocket.
 *
 *   const client = new HeddleClient({ url: 'http://127.0.0.1:3001', signer: new SignerKey(hex) });
 *   const [answer] = await client.order([limitOrder({ asset: 0, side: 'buy', price: '50000', size: '0.01' })]);
 *
 * Invariant: the key stays here, requests carry signatures only. An action is sent once; `sign` and `submit` let a caller send the same signed
 * request again where no answer came.
 * Not here: what is allowed and what it leads to. A request that the node refuses throws ACTION_REFUSED with the node's words.
 */
import { HeddleError } from '../base/errors.ts';
import { type CancelAnswer, dataOf, type OrderAnswer, statusesOf, statusOf } from './exchange-answers.ts';
import { postJson } from './http-transport.ts';
import type { InfoAnswer, InfoName, InfoRequest } from './info-table.ts';
import type { Address, Hex } from './market-answers.ts';
import { NonceSource } from './nonce-source.ts';
import { hexOfBytes, type ProvenRecord, provenRecord, type SettledBlock, settledBlock } from './proven-state.ts';
import { formatSignature, trimSignature, type WireSignature } from './signature.ts';
import { innerDigest, requestDigest } from './signed-request.ts';
import type { Signer } from './signer-key.ts';
import type { PlatformSocket, SocketTiming, StreamHandlers } from './stream-socket.ts';
import type { StreamData, StreamName, Subscription } from './stream-table.ts';
import { type ActiveSubscription, Streams } from './streams.ts';
import type { Chain } from './typed-data.ts';
import {
  type ActionOf,
  isUserSigned,
  type MultiSigAction,
  readAction,
  type SingleAction,
  type WireAction,
  type WireOrder,
} from './wire-actions.ts';

export interface ClientOptions {
  /** Of the node: http:// or https://, without a path. */
  readonly url: string;
  /** What the node calls its chain; absent: Testnet, as nodes do that are not told otherwise. */
  readonly chain?: Chain;
  /** Absent: nothing can be signed. */
  readonly signer?: Signer;
  /** Share it among all clients that sign with one key. */
  readonly nonces?: NonceSource;
  /** The sub-account or vault that trading actions are for, where the call does not say. */
  readonly vaultAddress?: Address;
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
  readonly openSocket?: (url: string) => PlatformSocket;
  readonly socketTiming?: Partial<SocketTiming>;
  readonly onConnected?: () => void;
  readonly onDisconnected?: () => void;
}

export interface ActionOptions {
  /** The sub-account or vault that is acted for; null: nobody but the signer, whatever the client's own is. */
  readonly vaultAddress?: Address | null;
  /** The action is void after this time, ms. Trading actions only. */
  readonly expiresAfter?: number;
}

/** The body of `POST /exchange`. */
export interface RequestBody {
  readonly action: WireAction;
  readonly nonce: number;
  readonly signature: WireSignature;
  readonly vaultAddress?: Address;
  readonly expiresAfter?: number;
}

/** Without what every user-signed action has: the client puts it in. */
type Fields<N extends WireAction['type']> = Omit<ActionOf<N>, 'type' | 'signatureChainId' | 'hyperliquidChain' | 'nonce' | 'time'>;

/** Arbitrum Sepolia, as clients of the original name it; any would do. */
const SIGNATURE_CHAIN_ID = '0x66eee';
const TIMEOUT_MS = 10_000;
const POLL_MS = 100;

/** Actions that `vaultAddress` may stand beside. */
const FOR_OTHERS: ReadonlySet<string> = new Set<WireAction['type']>([
  'order',
  'cancel',
  'cancelByCloid',
  'modify',
  'batchModify',
  'reduce',
  'scheduleCancel',
  'updateLeverage',
  'updateIsolatedMargin',
  'topUpIsolatedOnlyMargin',
  'twapOrder',
  'twapCancel',
  'borrowLend',
]);

export class HeddleClient {
  readonly url: string;
  readonly chain: Chain;
  readonly #options: ClientOptions;
  readonly #nonces: NonceSource;
  readonly #streams: Streams;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.url = options.url.replace(/\/$/, '');
    this.chain = options.chain ?? 'Testnet';
    this.#nonces = options.nonces ?? new NonceSource();
    this.#streams = new Streams({
      url: `${this.url.replace(/^http/, 'ws')}/ws`,
      open: options.openSocket ?? ((url) => new WebSocket(url) as PlatformSocket),
      ...(options.socketTiming === undefined ? {} : { timing: options.socketTiming }),
      onConnected: options.onConnected,
      onDisconnected: options.onDisconnected,
    });
  }

  /** Of the signer. Throws NO_SIGNER. */
  get address(): Address {
    return this.#signer.address;
  }

  /** Ends all subscriptions. Requests that are under way come to their ends. */
  close(): void {
    this.#streams.close();
  }

  // --- Questions ------------------------------------------------------------------------------------------------------------------------

  /** Throws what `postJson` throws. */
  async info<N extends InfoName>(request: InfoRequest<N>): Promise<InfoAnswer<N>> {
    return (await this.#post('/info', request)) as InfoAnswer<N>;
  }

  /** Whatever `POST /info` takes. */
  ask(type: string, fields: object = {}): Promise<unknown> {
    return this.#post('/info', { type, ...fields });
  }

  /** A settled block, checked; undefined: it is not settled. Throws UNPROVEN. */
  async settlement(height: number): Promise<SettledBlock | undefined> {
    return settledBlock(await this.ask('settlement', { height }), height);
  }

  /** Waits until a block is settled. Throws NOT_SETTLED. */
  async untilSettled(height: number, timeoutMs = 60_000): Promise<SettledBlock> {
    const endMs = Date.now() + timeoutMs;
    while (true) {
      const block = await this.settlement(height);
      if (block !== undefined) return block;
      if (Date.now() > endMs) throw new HeddleError('NOT_SETTLED', `block ${height} was not settled within ${timeoutMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** A record of the newest settled state, proven. `trustedHash`: of the only header that is believed. Throws UNPROVEN and ProofError. */
  async proof(key: Uint8Array, trustedHash?: Uint8Array): Promise<ProvenRecord> {
    return provenRecord(await this.ask('proof', { key: hexOfBytes(key) }), key, trustedHash);
  }

  // --- Streams --------------------------------------------------------------------------------------------------------------------------

  /** Goes on, over any number of connections, until it is closed. */
  subscribe<N extends StreamName>(subscription: Subscription<N>, handlers: StreamHandlers<StreamData<N>>): ActiveSubscription {
    return this.#streams.subscribe(subscription, handlers);
  }

  // --- Trading --------------------------------------------------------------------------------------------------------------------------

  /** One answer for each order. A single one, an error, may stand for all. */
  async order(
    orders: readonly WireOrder[],
    options: ActionOptions & Pick<ActionOf<'order'>, 'grouping' | 'builder'> = {},
  ): Promise<readonly OrderAnswer[]> {
    const { grouping = 'na', builder, ...rest } = options;
    const action = { type: 'order' as const, orders, grouping, ...(builder === undefined ? {} : { builder }) };
    return statusesOf(await this.send(action, rest));
  }

  async cancel(cancels: ActionOf<'cancel'>['cancels'], options?: ActionOptions): Promise<readonly CancelAnswer[]> {
    return statusesOf(await this.send({ type: 'cancel', cancels }, options));
  }

  async cancelByClientId(cancels: ActionOf<'cancelByCloid'>['cancels'], options?: ActionOptions): Promise<readonly CancelAnswer[]> {
    return statusesOf(await this.send({ type: 'cancelByCloid', cancels }, options));
  }

  /** Replaces orders, each named by its id or its client id. */
  async modify(modifies: ActionOf<'batchModify'>['modifies'], options?: ActionOptions): Promise<readonly OrderAnswer[]> {
    return statusesOf(await this.send({ type: 'batchModify', modifies }, options));
  }

  /** Beyond the original: takes a size off resting orders, which keep their places in the queue. */
  async reduce(reduces: ActionOf<'reduce'>['reduces'], options?: ActionOptions): Promise<readonly CancelAnswer[]> {
    return statusesOf(await this.send({ type: 'reduce', reduces }, options));
  }

  /** Cancels everything at a time, unless it is called again before; without a time: no longer. */
  async scheduleCancel(timeMs?: number, options?: ActionOptions): Promise<void> {
    dataOf(await this.send({ type: 'scheduleCancel', ...(timeMs === undefined ? {} : { time: timeMs }) }, options));
  }

  async updateLeverage(fields: Fields<'updateLeverage'>, options?: ActionOptions): Promise<void> {
    dataOf(await this.send({ type: 'updateLeverage', ...fields }, options));
  }

  /** `ntli`: in 10^-6 of the quote currency, negative to take out. */
  async updateIsolatedMargin(fields: Fields<'updateIsolatedMargin'>, options?: ActionOptions): Promise<void> {
    dataOf(await this.send({ type: 'updateIsolatedMargin', ...fields }, options));
  }

  /** The id of the running order. Throws ACTION_REFUSED. */
  async twapOrder(twap: ActionOf<'twapOrder'>['twap'], options?: ActionOptions): Promise<number> {
    const status = statusOf(await this.send({ type: 'twapOrder', twap }, options)) as { readonly running: { readonly twapId: number } };
    return status.running.twapId;
  }

  async twapCancel(asset: number, twapId: number, options?: ActionOptions): Promise<void> {
    statusOf(await this.send({ type: 'twapCancel', a: asset, t: twapId }, options));
  }

  // --- Money and permissions --------------------------------------------------------------------------------------------------------------

  async usdSend(fields: Fields<'usdSend'>): Promise<void> {
    dataOf(await this.sendForUser({ type: 'usdSend', ...fields }));
  }

  async withdraw(fields: Fields<'withdraw3'>): Promise<void> {
    dataOf(await this.sendForUser({ type: 'withdraw3', ...fields }));
  }

  async usdClassTransfer(fields: Fields<'usdClassTransfer'>): Promise<void> {
    dataOf(await this.sendForUser({ type: 'usdClassTransfer', ...fields }));
  }

  /** `agentName` may end in " valid_until " and a time in ms. */
  async approveAgent(fields: Fields<'approveAgent'>): Promise<void> {
    dataOf(await this.sendForUser({ type: 'approveAgent', ...fields }));
  }

  async approveBuilderFee(fields: Fields<'approveBuilderFee'>): Promise<void> {
    dataOf(await this.sendForUser({ type: 'approveBuilderFee', ...fields }));
  }

  /** From then on only enough of the signers together can act for the account; null: its own key again, which they have to send. */
  async convertToMultiSigUser(signers: { readonly authorizedUsers: readonly Address[]; readonly threshold: number } | null): Promise<void> {
    const sorted = signers === null ? null : { authorizedUsers: [...signers.authorizedUsers].sort(), threshold: signers.threshold };
    dataOf(await this.sendForUser({ type: 'convertToMultiSigUser', signers: JSON.stringify(sorted) }));
  }

  /** Its address. */
  async createSubAccount(name: string): Promise<Address> {
    return dataOf(await this.send({ type: 'createSubAccount', name })) as Address;
  }

  /** Another name of a sub-account. */
  async subAccountModify(fields: Fields<'subAccountModify'>): Promise<void> {
    dataOf(await this.send({ type: 'subAccountModify', ...fields }));
  }

  /** What others may call the signer; empty: nothing any more. */
  async setDisplayName(displayName: string): Promise<void> {
    dataOf(await this.send({ type: 'setDisplayName', displayName }));
  }

  /** `usd`: in 10^-6. */
  async subAccountTransfer(fields: Fields<'subAccountTransfer'>): Promise<void> {
    dataOf(await this.send({ type: 'subAccountTransfer', ...fields }));
  }

  async vaultTransfer(fields: Fields<'vaultTransfer'>): Promise<void> {
    dataOf(await this.send({ type: 'vaultTransfer', ...fields }));
  }

  // --- Signing ----------------------------------------------------------------------------------------------------------------------------

  /** Signs and sends any action; returns the node's answer as it is (`dataOf`, `statusesOf`). Throws what `postJson` throws, and NO_SIGNER. */
  async send(action: WireAction, options?: ActionOptions): Promise<unknown> {
    return this.submit(await this.sign(action, options));
  }

  /** The same for a user-signed action, whose chain, time and nonce are put in. */
  async sendForUser(fields: { readonly type: SingleAction['type']; readonly [field: string]: unknown }): Promise<unknown> {
    const nonce = this.#nonces.next();
    const action = readAction({ signatureChainId: SIGNATURE_CHAIN_ID, hyperliquidChain: this.chain, nonce, time: nonce, ...fields });
    return this.submit(await this.#signed(action, nonce, {}));
  }

  /**
   * A signed request, with a nonce of its own (user-signed actions bring theirs). Throws NO_SIGNER, MALFORMED_ACTION.
   */
  async sign(action: WireAction, options: ActionOptions = {}): Promise<RequestBody> {
    const canonical = readAction(action);
    const vaultAddress =
      options.vaultAddress === undefined && FOR_OTHERS.has(action.type) ? this.#options.vaultAddress : options.vaultAddress;
    return this.#signed(canonical, nonceOf(canonical) ?? this.#nonces.next(), {
      ...(vaultAddress === undefined || vaultAddress === null ? {} : { vaultAddress }),
      ...(options.expiresAfter === undefined ? {} : { expiresAfter: options.expiresAfter }),
    });
  }

  /** Sends a signed request; the same one may be sent again. */
  submit(body: RequestBody): Promise<unknown> {
    return this.#post('/exchange', body);
  }

  /** The signature of this client's signer for an action of a multi-signature user, which `outerSigner` will send. */
  async signInner(
    action: SingleAction,
    multiSigUser: Address,
    outerSigner: Address,
    nonce: number,
    options: ActionOptions = {},
  ): Promise<WireSignature> {
    const request = { action: readAction(this.#wrapped(action, multiSigUser, outerSigner, [])), nonce, ...contextOf(options) };
    return trimSignature(formatSignature(await this.#signer.sign(innerDigest(request, this.chain))));
  }

  /** Sends an action of a multi-signature user, signed by enough of its signers. This client's signer is the outer one. */
  async sendMultiSig(
    action: SingleAction,
    multiSigUser: Address,
    signatures: readonly WireSignature[],
    nonce: number,
    options: ActionOptions = {},
  ): Promise<unknown> {
    const wrapped = readAction(this.#wrapped(action, multiSigUser, this.address, signatures));
    return this.submit(await this.#signed(wrapped, nonce, contextOf(options)));
  }

  /** For `signInner` and `sendMultiSig`, which all signers need the same of. */
  nextNonce(): number {
    return this.#nonces.next();
  }

  #wrapped(action: SingleAction, multiSigUser: Address, outerSigner: Address, signatures: readonly WireSignature[]): MultiSigAction {
    const trimmed = signatures.map(trimSignature);
    return { type: 'multiSig', signatureChainId: SIGNATURE_CHAIN_ID, signatures: trimmed, payload: { multiSigUser, outerSigner, action } };
  }

  async #signed(
    action: WireAction,
    nonce: number,
    context: { readonly vaultAddress?: Address; readonly expiresAfter?: number },
  ): Promise<RequestBody> {
    const signature = await this.#signer.sign(requestDigest({ action, nonce, ...context }, this.chain));
    return { action, nonce, signature: formatSignature(signature), ...context };
  }

  get #signer(): Signer {
    const { signer } = this.#options;
    if (signer === undefined) throw new HeddleError('NO_SIGNER', 'the client has no signer: give it one to send actions');
    return signer;
  }

  #post(path: string, body: unknown): Promise<unknown> {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    return postJson({ url: this.url, fetch: this.#options.fetch ?? fetch, timeoutMs }, path, body);
  }
}

function contextOf({ vaultAddress, expiresAfter }: ActionOptions): { readonly vaultAddress?: Hex; readonly expiresAfter?: number } {
  return {
    ...(vaultAddress === undefined || vaultAddress === null ? {} : { vaultAddress }),
    ...(expiresAfter === undefined ? {} : { expiresAfter }),
  };
}

/** The nonce that an action carries itself. */
function nonceOf(action: WireAction): number | undefined {
  if (isUserSigned(action)) return 'time' in action ? action.time : action.nonce;
  return 'nonce' in action ? action.nonce : undefined;
}
