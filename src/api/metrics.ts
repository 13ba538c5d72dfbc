/**
 * What the node counts and measures, for Prometheus (`GET /metrics`).
 * Names start with `heddle_`, times are in seconds. Not here: what is a problem (docs/operating.md says what to watch).
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { processMemory } from './process-memory.ts';
import { PairCounter, SecondsHistogram } from './request-metrics.ts';

const LATENCIES = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BLOCK_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/** Numbers that are read when somebody asks. */
export interface Sampled {
  readonly waiting: () => number;
  readonly signatures: () => number;
  /** Actions between arrival and answer, and connections that wait for a refusal. */
  readonly underWay: () => number;
  readonly heldRefusals: () => number;
  /** Blocks that are ordered and not executed, and that are executed and not settled. */
  readonly ordered: () => number;
  readonly unsettled: () => number;
  /** Bytes that the ledger can still take. */
  readonly memoryFree: () => number;
  readonly height: () => number;
  readonly settledHeight: () => number;
  readonly connections: () => number;
  readonly feeds: () => number;
  readonly subscriptions: () => number;
}

export class Metrics {
  readonly registry = new Registry();
  readonly requests: PairCounter;
  readonly requestSeconds: SecondsHistogram;
  readonly actions: PairCounter;
  readonly confirmSeconds: SecondsHistogram;
  readonly signatureSeconds: SecondsHistogram;
  readonly unknownSigners: Counter<string>;
  readonly blocks: Counter<string>;
  readonly transactions: Counter<'result'>;
  readonly blockTransactions: Histogram<string>;
  readonly executeSeconds: SecondsHistogram;
  readonly executions: Counter<string>;
  readonly validations: Counter<string>;
  readonly conflicts: Counter<'class'>;
  readonly models: Counter<'model'>;
  readonly systemTransactions: Counter<string>;
  readonly fallbacks: Counter<string>;
  readonly settleSeconds: SecondsHistogram;
  readonly refused: Counter<'reason'>;
  readonly dropped: Counter<'reason'>;

  constructor(sampled: Sampled) {
    const registers = [this.registry];
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
      new Counter({ name, help, labelNames: [...labelNames], registers });
    const pairs = (name: string, help: string, labels: readonly [string, string]): PairCounter =>
      new PairCounter(this.registry, name, help, labels);
    const seconds = (name: string, help: string, label?: string): SecondsHistogram =>
      new SecondsHistogram(this.registry, name, help, LATENCIES, label);
    this.requests = pairs('heddle_requests_total', 'Requests by route and status.', ['route', 'status']);
    this.requestSeconds = seconds('heddle_request_seconds', 'From a request to its answer.', 'route');
    this.actions = pairs('heddle_actions_total', 'Actions that were confirmed, by type and result.', ['type', 'result']);
    this.confirmSeconds = seconds('heddle_confirm_seconds', 'From the submission of a transaction to its confirmation.');
    this.signatureSeconds = seconds('heddle_signature_seconds', 'To recover a signer, waiting included.');
    this.unknownSigners = counter('heddle_unknown_signers_total', 'Requests whose signature is of nobody.', []);
    this.blocks = counter('heddle_blocks_total', 'Blocks that were executed.', []);
    this.transactions = counter('heddle_transactions_total', 'Transactions that were executed, by result.', ['result']);
    this.blockTransactions = new Histogram({
      name: 'heddle_block_transactions',
      help: 'Transactions of a block.',
      buckets: BLOCK_SIZES,
      registers,
    });
    this.executeSeconds = seconds('heddle_execute_seconds', 'To execute a block.');
    this.executions = counter('heddle_executions_total', 'Executions of transactions, repeated ones included.', []);
    this.validations = counter('heddle_validations_total', 'Validations of transactions that ran ahead of their turn.', []);
    this.conflicts = counter('heddle_conflicts_total', 'Validations that failed, by the class of the record.', ['class']);
    this.models = counter('heddle_block_models_total', 'Blocks by the model that executed them.', ['model']);
    this.systemTransactions = counter(
      'heddle_system_transactions_total',
      'Transactions of the system itself: triggers, liquidations, TWAPs.',
      [],
    );
    this.fallbacks = counter('heddle_fallbacks_total', 'Blocks that the chosen model could not complete.', []);
    this.settleSeconds = seconds('heddle_settle_seconds', 'From the confirmation of a block to its settlement.');
    this.refused = counter('heddle_refused_total', 'Requests that the node did not take, by reason.', ['reason']);
    this.dropped = counter('heddle_streams_dropped_total', 'WebSocket connections that the node has closed, by reason.', ['reason']);
    const gauges: readonly [name: string, help: string, read: () => number][] = [
      ['heddle_waiting_transactions', 'Transactions that wait for a block.', sampled.waiting],
      ['heddle_waiting_signatures', 'Signatures that wait to be recovered.', sampled.signatures],
      ['heddle_actions_under_way', 'Actions between their arrival and their answer.', sampled.underWay],
      ['heddle_held_refusals', 'Connections that wait to be told that they are refused.', sampled.heldRefusals],
      ['heddle_ordered_blocks', 'Blocks that are ordered and not executed.', sampled.ordered],
      ['heddle_unsettled_blocks', 'Blocks that are executed and not settled.', sampled.unsettled],
      ['heddle_ledger_memory_free_bytes', 'Shared memory of the ledger that nothing has taken yet.', sampled.memoryFree],
      ['heddle_height', 'The last block that was executed.', sampled.height],
      ['heddle_settled_height', 'The last block whose header is final.', sampled.settledHeight],
      ['heddle_stream_connections', 'Open WebSocket connections.', sampled.connections],
      ['heddle_stream_feeds', 'Feeds that are kept up.', sampled.feeds],
      ['heddle_stream_subscriptions', 'Subscriptions of all connections.', sampled.subscriptions],
    ];
    for (const [name, help, read] of gauges) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    }
    new Gauge({
      name: 'heddle_process_memory_bytes',
      help: 'Resident memory by what is behind it: the process itself (anonymous), mapped files, shared memory. Linux only.',
      labelNames: ['kind'],
      registers,
      collect() {
        const memory = processMemory();
        if (memory === undefined) return;
        this.set({ kind: 'anonymous' }, memory.anonymousBytes);
        this.set({ kind: 'file' }, memory.fileBytes);
        this.set({ kind: 'shared' }, memory.sharedBytes);
      },
    });
    collectDefaultMetrics({ register: this.registry, prefix: 'heddle_' });
  }
}
