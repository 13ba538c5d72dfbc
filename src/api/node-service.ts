/**
 * A node that serves: the pipeline of a folder, the views of it, the pool of signatures, and the server in front.
 *
 *   request ─▶ server ─▶ handler ─▶ signatures ─▶ pipeline ─▶ confirmed block ─▶ views ─▶ answers, streams
 *
 * Invariant: views know a block before those who have sent its transactions are answered, so a client that asks afterwards sees what it did.
 * Closing takes nothing new, answers what is under way, and leaves the folder as an ordered stop does.
 */
import { assert } from '../base/assert.ts';
import { CODE_OK } from '../base/codes.ts';
import { HeddleError } from '../base/errors.ts';
import { exchangeOptions, type Genesis } from '../exchange/genesis.ts';
import type { Address } from '../ledger/transactions.ts';
import {
  type BlockWork,
  type ConfirmedBlock,
  type FolderOptions,
  genesisHash,
  type Listeners,
  openFolder,
  type Pipeline,
  SettledProofs,
  type Settlement,
} from '../node/index.ts';
import { parseDecimal } from '../sdk/decimal.ts';
import type { Chain } from '../sdk/typed-data.ts';
import { SignaturePool } from '../signatures/signature-pool.ts';
import { RealDisk, type Store } from '../storage/index.ts';
import { blockTerms, Views } from '../views/index.ts';
import type { Account } from './authentication.ts';
import { NOTHING_SOLD, readBought, type SoldRequests } from './bought-file.ts';
import { ExchangeHandler } from './exchange-handler.ts';
import { Explorer } from './explorer.ts';
import { asObject, fieldOf } from './json-input.ts';
import { isLedgerRequest, type LedgerContext, ledgerAnswer } from './ledger-answers.ts';
import { Metrics } from './metrics.ts';
import { AddressBudgets, type Budget, type LimitOptions } from './rate-limits.ts';
import { RequestSales } from './request-sales.ts';
import { ApiServer, type ServerLimits } from './server.ts';
import { diagnosisOf } from './signature-diagnosis.ts';
import type { StreamMessage, StreamsPort } from './streams-port.ts';
import { SubscriptionHub } from './subscription-hub.ts';
import { UnsettledBlocks } from './unsettled-blocks.ts';
import { readValues, ValuesFile } from './values-file.ts';

/** What a node writes down; never a key or a signature. */
export interface Log {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export interface NodeServiceOptions {
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly chain: Chain;
  /** Development: requests for either chain are taken, and refusals say what may be wrong. */
  readonly development: boolean;
  readonly limits: LimitOptions;
  readonly serverLimits: ServerLimits;
  /** Who is paid for request weight. */
  readonly weightSeller?: Address;
  readonly signatureThreads: number;
  /** Of these threads; without it that of the process. */
  readonly signatureNice?: number;
  readonly engine: Pick<FolderOptions, 'workers' | 'model' | 'waitingMax' | 'blockTransactions' | 'keepMs' | 'engine'>;
  readonly replayMessages: number;
  readonly keepFeedsMs: number;
  readonly clock: () => number;
  readonly log: Log;
}

const VOLUME_DECIMALS = 6;
const FLUSH_MS = 100;
const VALUES_EVERY_MS = 600_000;
const KEPT_FEEDS_MAX = 2_000;
/** Beyond, a stopped node makes proofs (`heddle prove`). */
const PROOF_RECORDS_MAX = 200_000;
const PROOF_FRESH_MS = 2_000;
/**
 * How long the oldest block may be unsettled before the node calls itself not ready. Blocks join for half a second and are written together; how many
 * they are says nothing: with small ones there are as many as the pipeline lets be unsettled at once.
 */
const UNSETTLED_MS_MAX = 10_000;

interface Parts {
  readonly genesis: Genesis;
  readonly store: Store;
  readonly views: Views;
  readonly explorer: Explorer;
  /** The folder, for files that the service keeps beside the ledger. */
  readonly disk: RealDisk;
  readonly sold: SoldRequests;
}

export class NodeService {
  readonly pipeline: Pipeline;
  readonly genesis: Genesis;
  readonly views: Views;
  private readonly options: NodeServiceOptions;
  private readonly signatures: SignaturePool;
  private readonly hub: SubscriptionHub;
  private readonly metrics: Metrics;
  private readonly budgets: AddressBudgets;
  private readonly sales: RequestSales;
  private readonly explorer: Explorer;
  private readonly store: Store;
  private readonly proofs: SettledProofs;
  private readonly unsettled = new UnsettledBlocks();
  private readonly flushing: NodeJS.Timeout;
  private readonly valuesFile: ValuesFile;
  private readonly keeping: NodeJS.Timeout;
  private server: ApiServer | undefined;
  private closing: Promise<void> | undefined;

  private constructor(options: NodeServiceOptions, pipeline: Pipeline, parts: Parts, signatures: SignaturePool) {
    this.options = options;
    this.pipeline = pipeline;
    this.genesis = parts.genesis;
    this.views = parts.views;
    this.store = parts.store;
    this.proofs = new SettledProofs(parts.store, { recordsMax: PROOF_RECORDS_MAX, freshMs: PROOF_FRESH_MS });
    this.explorer = parts.explorer;
    this.signatures = signatures;
    this.budgets = new AddressBudgets(options.limits, options.clock, parts.sold.bought);
    this.sales = new RequestSales({
      disk: parts.disk,
      budgets: this.budgets,
      limitsEnforced: options.limits.enforced,
      paying: parts.sold.paying,
      height: () => this.views.height,
      onError: (error) => options.log.error({ err: error }, 'bought requests are not on disk'),
    });
    this.hub = new SubscriptionHub(this.streams(), {
      replayMessages: options.replayMessages,
      keepMs: options.keepFeedsMs,
      keptFeedsMax: KEPT_FEEDS_MAX,
    });
    this.metrics = new Metrics({
      waiting: () => pipeline.counts.waiting,
      ordered: () => pipeline.counts.ordered,
      unsettled: () => pipeline.counts.unsettled,
      signatures: () => signatures.unanswered,
      underWay: () => this.server?.load.underWay ?? 0,
      heldRefusals: () => this.server?.load.held ?? 0,
      memoryFree: () => pipeline.state.freeBytes,
      memoryLeft: () => pipeline.counts.memoryLeftBytes,
      height: () => this.views.height,
      settledHeight: () => pipeline.settled?.header.height ?? 0,
      connections: () => this.connections,
      feeds: () => this.hub.counts.feeds,
      subscriptions: () => this.hub.counts.receivers,
    });
    this.flushing = setInterval(() => this.views.flush(), FLUSH_MS);
    this.flushing.unref();
    this.valuesFile = new ValuesFile({
      disk: parts.disk,
      chainId: genesisHash(parts.genesis),
      values: () => this.views.valuesToKeep(),
      onError: (error) => options.log.error({ err: error }, 'what accounts were worth is not on disk'),
    });
    this.keeping = setInterval(() => void this.valuesFile.save(), VALUES_EVERY_MS);
    this.keeping.unref();
  }

  /** Throws what opening a folder, its journal and its store throws, BAD_BUDGETS (where limits are enforced), NO_SIGNATURE_THREAD and CANNOT_LISTEN. */
  static async start(options: NodeServiceOptions): Promise<NodeService> {
    const found: { parts?: Parts; service?: NodeService } = {};
    const pipeline = await openFolder(options.folder, {
      ...options.engine,
      clock: options.clock,
      attach: async (genesis, store) => {
        const parts = await attachedParts(options, genesis, store);
        found.parts = parts;
        // Blocks that are executed again come before there is a service to tell of them.
        return listenersOf(parts, () => found.service);
      },
    });
    const { log } = options;
    let signatures: SignaturePool | undefined;
    try {
      const { signatureThreads: threads, signatureNice: nice } = options;
      signatures = await SignaturePool.create({ threads, warn: (text) => log.warn({}, text), ...(nice === undefined ? {} : { nice }) });
      assert(found.parts !== undefined, 'a folder was opened and nothing attached');
      const service = new NodeService(options, pipeline, found.parts, signatures);
      found.service = service;
      await service.sales.resume((transaction, after) => service.explorer.resultsOf(transaction, after));
      await service.listen();
      if (pipeline.counts.memoryLeftBytes === 0) {
        log.warn(
          { freeBytes: pipeline.state.freeBytes },
          'the ledger is short of memory: orders are refused; start with a larger --memory-mib',
        );
      }
      return service;
    } catch (error) {
      found.service?.stopTimers();
      await Promise.allSettled([signatures?.close(), pipeline.close()]);
      throw error;
    }
  }

  get url(): string {
    return this.server?.url ?? '';
  }

  /** Open WebSocket connections. */
  get connections(): number {
    return this.server?.connections ?? 0;
  }

  /** Which recovery of signers runs: `native`, or `javascript`, which is twenty times as slow. */
  get signatureBackend(): string {
    return this.signatures.backend;
  }

  /** Throws what has broken the pipeline. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.stopTimers();
    await this.server?.close(this.options.serverLimits.requestMs);
    this.hub.close();
    await this.signatures.close();
    try {
      await this.pipeline.close();
    } finally {
      // Also purchases whose buyers are gone: they are confirmed until the pipeline has closed.
      await this.sales.save();
    }
    await this.valuesFile.save();
  }

  private stopTimers(): void {
    clearInterval(this.flushing);
    clearInterval(this.keeping);
  }

  private async listen(): Promise<void> {
    const { options } = this;
    const handler = this.handler();
    this.server = await ApiServer.listen({
      host: options.host,
      port: options.port,
      limits: options.serverLimits,
      limitsEnforced: options.limits.enforced,
      weightPerMinute: options.limits.weightPerMinute,
      info: (request) => this.info(request),
      height: () => this.views.height,
      exchange: (request, asker) => handler.handle(request, asker),
      explorer: (request) => this.explorer.answer(request),
      hub: this.hub,
      metrics: this.metrics,
      notReady: () => this.notReady(),
      clock: options.clock,
      onFault: (error, where) => options.log.error({ err: error, where }, 'a mistake of ours'),
    });
  }

  private handler(): ExchangeHandler {
    const { options, genesis, views } = this;
    const accountOf = (address: Address): Account => accountIn(views, address);
    const { signatures } = this;
    return new ExchangeHandler({
      pipeline: this.pipeline,
      authentication: {
        signatures,
        chain: options.chain,
        bothChains: options.development,
        accountOf,
        explain: options.development,
        diagnose: diagnosisOf({
          chain: options.chain,
          signatures,
          isKnown: (address) => accountOf(address).role !== 'missing',
          clock: options.clock,
        }),
        onRecovered: (seconds) => this.metrics.signatureSeconds.observe(seconds),
        onUnknownSigner: (signer, diagnosis) => {
          this.metrics.unknownSigners.inc();
          options.log.info({ signer, diagnosis }, 'a signature of nobody');
        },
      },
      actions: {
        markets: views.markets.markets,
        tokens: genesis.tokens,
        exchange: exchangeOptions(genesis),
        bestPrices: ({ name }) => this.bestPrices(name),
      },
      budgets: this.budgets,
      sales: this.sales,
      volumeOf: (user) => this.volumeOf(user),
      ...(options.weightSeller === undefined ? {} : { weightSeller: options.weightSeller }),
      limitsEnforced: options.limits.enforced,
      clock: options.clock,
      onConfirmed: (type, seconds, result) => {
        this.metrics.confirmSeconds.observe(seconds);
        this.metrics.actions.inc(type, result === CODE_OK ? 'ok' : 'refused');
      },
      onMemoryShort: () => this.metrics.refused.inc({ reason: 'memory' }),
    });
  }

  // --- Answers ----------------------------------------------------------------------------------------------------------------------------

  private info(request: unknown): unknown {
    const object = asObject(request, 'the request');
    if (isLedgerRequest(object)) return ledgerAnswer(object, this.ledgerContext());
    const answer = this.views.answer(request);
    return fieldOf(object, 'type') === 'userRateLimit' ? this.withBudget(object.user as Address, answer) : answer;
  }

  private ledgerContext(): LedgerContext {
    return {
      store: this.store,
      proofs: this.proofs,
      confirmedHeight: () => this.views.height,
      budgetOf: (user) => this.budgetOf(user),
      displayNameOf: (user) => this.views.displayNameOf(user),
      enforced: this.options.limits.enforced,
      limits: { markets: this.views.markets.markets, exchange: this.views.exchange, orderPages: this.genesis.orderPages },
    };
  }

  private withBudget(user: Address, answer: unknown): unknown {
    const { used, allowed, reserved } = this.budgetOf(user.toLowerCase());
    return {
      ...(answer as object),
      nRequestsUsed: used,
      nRequestsCap: allowed,
      nRequestsSurplus: Math.min(reserved, Math.max(0, allowed + reserved - used)),
    };
  }

  private budgetOf(user: Address): Budget {
    return this.budgets.budgetOf(user, this.volumeOf(user));
  }

  private volumeOf(user: Address): bigint {
    const { cumVlm } = this.views.answer({ type: 'userRateLimit', user }) as { cumVlm: string };
    return parseDecimal(cumVlm, VOLUME_DECIMALS) ?? 0n;
  }

  private bestPrices(coin: string): { bid?: string; ask?: string } {
    const book = this.views.answer({ type: 'l2Book', coin }) as { levels: readonly (readonly { px: string }[])[] } | null;
    const [bid, ask] = [book?.levels[0]?.[0]?.px, book?.levels[1]?.[0]?.px];
    return { ...(bid === undefined ? {} : { bid }), ...(ask === undefined ? {} : { ask }) };
  }

  /** The views' feeds, and the explorer's. */
  private streams(): StreamsPort {
    const { views, explorer } = this;
    return {
      subscribe: (subscription, sink) => {
        const type = fieldOf(asObject(subscription, 'the subscription'), 'type');
        if (type === 'explorerBlock' || type === 'explorerTxs') return explorer.subscribe(subscription, sink);
        const feed = views.subscribe(subscription, (message: StreamMessage) => sink(message));
        return () => feed.close();
      },
    };
  }

  // --- Watching ---------------------------------------------------------------------------------------------------------------------------

  private notReady(): string | undefined {
    if (this.closing !== undefined) return 'the node is stopping';
    if (this.pipeline.broken !== undefined) return this.pipeline.broken.message;
    const oldestMs = this.unsettled.oldestMs(performance.now());
    return oldestMs > UNSETTLED_MS_MAX ? `a block was confirmed ${Math.floor(oldestMs / 1000)} s ago and is not settled` : undefined;
  }

  /** For the pipeline: what waits for its signer to be known becomes a transaction, if it was signed by somebody. */
  get expected(): number {
    return this.signatures.unanswered;
  }

  /** For the pipeline. */
  noteConfirmed({ number, transactions, receipts }: ConfirmedBlock): void {
    this.unsettled.confirmed(number, performance.now());
    this.metrics.blocks.inc();
    this.metrics.blockTransactions.observe(transactions.length);
    let refused = 0;
    for (let i = 0; i < transactions.length; i++) {
      const receipt = receipts[i] as Uint8Array;
      // Its code: four bytes.
      if (receipt[0] !== CODE_OK || receipt[1] !== 0 || receipt[2] !== 0 || receipt[3] !== 0) refused++;
    }
    this.metrics.transactions.inc({ result: 'ok' }, transactions.length - refused);
    if (refused > 0) this.metrics.transactions.inc({ result: 'refused' }, refused);
  }

  /** For the pipeline. */
  noteExecuted({ model, seconds, executions, validations, conflictsByClass, systemTransactions, fallback }: BlockWork): void {
    const { metrics } = this;
    metrics.executeSeconds.observe(seconds);
    metrics.executions.inc(executions);
    metrics.validations.inc(validations);
    metrics.models.inc({ model });
    metrics.systemTransactions.inc(systemTransactions);
    for (const [name, count] of conflictsByClass) metrics.conflicts.inc({ class: name }, count);
    if (fallback !== undefined) metrics.fallbacks.inc();
  }

  /** For the pipeline. */
  noteSettled({ header: { height } }: Settlement): void {
    const tookMs = this.unsettled.settled(height, performance.now());
    if (tookMs !== undefined) this.metrics.settleSeconds.observe(tookMs / 1000);
  }
}

async function attachedParts({ folder, limits, log }: NodeServiceOptions, genesis: Genesis, store: Store): Promise<Parts> {
  const disk = await RealDisk.open(folder);
  const sold = await soldBefore(disk, limits, log);
  const values = await readValues(disk, genesisHash(genesis), (reason) => log.warn({}, reason));
  const views = Views.open({ genesis, store, ...(values === undefined ? {} : { values }) });
  return { genesis, store, views, explorer: new Explorer(store), disk, sold };
}

/** Where nothing is limited, nobody misses what cannot be read, and nothing is written over it. */
async function soldBefore(disk: RealDisk, { enforced }: LimitOptions, log: Log): Promise<SoldRequests> {
  try {
    return await readBought(disk);
  } catch (error) {
    if (enforced || !(error instanceof HeddleError)) throw error;
    log.warn({}, `${error.message}; limits are off, so the node starts without and leaves it as it is`);
    return NOTHING_SOLD;
  }
}

/** What the pipeline is to tell: views first, since clients ask them as soon as they are answered. */
function listenersOf({ views, explorer }: Parts, service: () => NodeService | undefined): Listeners {
  const names = { addressOf: views.addressOfNumber, ownerOf: (sender: Address) => views.ownerOf(sender) };
  return {
    expected: () => service()?.expected ?? 0,
    onExecuted: (work) => service()?.noteExecuted(work),
    onConfirmed: (block) => {
      views.confirm(block);
      explorer.confirmed(block);
      service()?.noteConfirmed(block);
    },
    termsOf: (block) => blockTerms(block, names),
    onSettled: (settlement) => {
      explorer.settled(settlement);
      service()?.noteSettled(settlement);
    },
  };
}

function accountIn(views: Views, user: Address): Account {
  const found = views.roleOf(user);
  // Only agents act for their owners.
  return found.role === 'agent' || found.owner === undefined ? found : { role: found.role };
}
