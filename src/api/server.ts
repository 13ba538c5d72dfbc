/**
 * The HTTP and WebSocket server: routes, bounds and the way from a request to its answer.
 *
 *   POST /info, /exchange, /explorer      JSON in, JSON out (protocol, section 1)
 *   WS   /ws                              streams and posts (section 9)
 *   GET  /health, /ready, /metrics        for who runs the node
 *
 * Invariant: a request is answered with one of the statuses of section 1 or 4xx for what is none, whatever its bytes; a mistake of ours is
 * status 500 and a line in the log, and ends nothing but its request.
 * Not here: answers (views), actions (exchange-handler.ts), one connection's streams (stream-connection.ts).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { HeddleError } from '../base/errors.ts';
import { AdmissionControl, type AdmissionLimits, admissionDefaults } from './admission-control.ts';
import { type ActionAsker, Overloaded } from './exchange-handler.ts';
import {
  type HttpAnswer,
  jsonAnswer,
  malformedAnswer,
  readBody,
  sendAnswer,
  sendPreflight,
  textAnswer,
  tooLargeAnswer,
  tooManyAnswer,
} from './http-exchange.ts';
import { asObject, fieldOf, type JsonObject, parseJson } from './json-input.ts';
import { isMalformed } from './malformed-request.ts';
import type { Metrics } from './metrics.ts';
import { actionWeight, answerWeight, EXPLORER_WEIGHT, infoWeight, MinuteWeights } from './rate-limits.ts';
import { RefusalPace } from './refusal-pace.ts';
import { CLIENT_CLOSED, type PostReply, StreamConnection, type StreamLimits } from './stream-connection.ts';
import type { SubscriptionHub } from './subscription-hub.ts';
import type { ExchangeAnswer } from './translation.ts';

export interface ServerLimits {
  readonly bodyBytesMax: number;
  /** How deep arrays and objects of a body are nested. */
  readonly depthMax: number;
  /** Time for the whole of a request to arrive. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  /** TCP connections. */
  readonly connectionsMax: number;
  /** WebSocket connections in all, of one IP address, and new ones of it in a minute; the last two where limits are enforced. */
  readonly streamsMax: number;
  readonly streamsOfAddress: number;
  readonly newStreamsPerMinute: number;
  readonly messagesPerMinute: number;
  readonly pulseMs: number;
  readonly stream: StreamLimits;
  /** Actions that are under way; `admissionDefaults` without it. */
  readonly admission?: AdmissionLimits;
}

export interface ServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly limits: ServerLimits;
  readonly limitsEnforced: boolean;
  readonly weightPerMinute: number;
  /** Answers of `POST /info`, or promises of them; throws MalformedRequest. */
  readonly info: (request: unknown) => unknown;
  /** The block that the answers of `info` belong to. */
  readonly height: () => number;
  readonly exchange: (request: unknown, asker: ActionAsker) => void;
  readonly explorer: (request: unknown) => unknown;
  readonly hub: SubscriptionHub;
  readonly metrics: Metrics;
  /** Undefined: ready; otherwise why not. */
  readonly notReady: () => string | undefined;
  readonly clock: () => number;
  readonly onFault: (error: unknown, where: string) => void;
}

/** Of a post over WebSocket: who has sent it, how long it was, and how it is answered. */
interface StreamPost {
  readonly address: string;
  readonly bytes: number;
  readonly reply: (reply: PostReply) => void;
}

type Route = 'info' | 'exchange' | 'explorer';

export class ApiServer {
  private readonly options: ServerOptions;
  private readonly http: Server;
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: WS_PAYLOAD_MAX, perMessageDeflate: false });
  private readonly streams = new Map<StreamConnection, string>();
  private readonly weights: MinuteWeights;
  private readonly messages: MinuteWeights;
  private readonly newStreams: MinuteWeights;
  private readonly pulse: NodeJS.Timeout;
  private readonly admission: AdmissionControl;
  private readonly refusals = new RefusalPace();

  private constructor(options: ServerOptions) {
    const { limits } = options;
    this.options = options;
    this.weights = new MinuteWeights(options.weightPerMinute, options.clock);
    this.messages = new MinuteWeights(limits.messagesPerMinute, options.clock);
    this.admission = new AdmissionControl(limits.admission ?? admissionDefaults, options.clock);
    this.newStreams = new MinuteWeights(limits.newStreamsPerMinute, options.clock);
    this.http = createServer({
      requestTimeout: limits.requestMs,
      headersTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      // How often it is looked for requests that take too long.
      connectionsCheckingInterval: Math.ceil(limits.requestMs / 4),
    });
    this.http.maxConnections = limits.connectionsMax;
    this.http.on('request', (request, response) => void this.serve(request, response));
    this.http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    this.http.on('clientError', (_error, socket) => endSocket(socket, 400, 'Bad Request'));
    this.pulse = setInterval(() => {
      for (const stream of this.streams.keys()) stream.pulse();
    }, limits.pulseMs);
    this.pulse.unref();
  }

  /** Throws CANNOT_LISTEN. */
  static async listen(options: ServerOptions): Promise<ApiServer> {
    const server = new ApiServer(options);
    try {
      await new Promise<void>((resolve, reject) => {
        server.http.once('error', reject);
        server.http.listen(options.port, options.host, resolve);
      });
    } catch (cause) {
      clearInterval(server.pulse);
      const { code, message } = cause as NodeJS.ErrnoException;
      const advice = code === 'EADDRINUSE' ? 'something listens there already: choose another with --port' : message;
      throw new HeddleError('CANNOT_LISTEN', `cannot listen on ${options.host}:${options.port}: ${advice}`, { cause });
    }
    server.http.on('error', (error) => options.onFault(error, 'server'));
    return server;
  }

  get url(): string {
    const { address, port, family } = this.http.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  get connections(): number {
    return this.streams.size;
  }

  /** Actions that are under way, and connections that wait for a refusal. */
  get load(): { readonly underWay: number; readonly held: number } {
    return { underWay: this.admission.underWay, held: this.refusals.held };
  }

  /** Takes nothing new, tells the streams, lets requests that are under way be answered for `graceMs`, and ends. */
  async close(graceMs: number): Promise<void> {
    clearInterval(this.pulse);
    for (const stream of [...this.streams.keys()]) stream.drop(GOING_AWAY, 'the node is stopping');
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    this.http.closeIdleConnections();
    this.refusals.end();
    const grace = setTimeout(() => this.http.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(grace);
  }

  // --- HTTP -------------------------------------------------------------------------------------------------------------------------------

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const path = (request.url ?? '/').split('?')[0] as string;
    const route = path.slice(1);
    let answer: HttpAnswer | undefined;
    try {
      if (request.method === 'OPTIONS') {
        sendPreflight(response);
        return;
      }
      answer = isRoute(route) ? await this.post(route, request) : await this.get(path, request.method);
    } catch (error) {
      this.options.onFault(error, path);
      answer = textAnswer(500, 'Internal error');
    }
    if (answer.status === TOO_MANY) {
      // Of a connection that is refused nothing more is read until it is told, whatever it has sent beside.
      request.socket.pause();
      await this.refusals.turn();
      request.socket.resume();
    }
    // What was not read of a body would be taken for the next request.
    sendAnswer(response, answer, answer === tooLargeAnswer);
    if (isRoute(route)) {
      const { requests, requestSeconds } = this.options.metrics;
      requests.inc(route, answer.status);
      requestSeconds.observe((performance.now() - started) / 1000, route);
    }
  }

  private async get(path: string, method: string | undefined): Promise<HttpAnswer> {
    if (!GET_PATHS.has(path)) return textAnswer(404, 'Not found');
    if (method !== 'GET' && method !== 'HEAD') return textAnswer(405, 'Method not allowed');
    if (path === '/health') return jsonAnswer({ status: 'ok' });
    if (path === '/ready') {
      const reason = this.options.notReady();
      return reason === undefined ? jsonAnswer({ status: 'ready' }) : { ...jsonAnswer({ status: 'not ready', reason }), status: 503 };
    }
    const { registry } = this.options.metrics;
    return { status: 200, contentType: registry.contentType, body: await registry.metrics() };
  }

  private async post(route: Route, request: IncomingMessage): Promise<HttpAnswer> {
    if (request.method !== 'POST') return textAnswer(405, 'Method not allowed');
    const { bodyBytesMax, depthMax } = this.options.limits;
    const address = addressOf(request.socket);
    // Nothing is read of what there is no room for.
    if (route === 'exchange' && !this.admission.allows(address)) return this.failure(FULL);
    const text = await readBody(request, bodyBytesMax);
    if (text === undefined) return tooLargeAnswer;
    try {
      if (route === 'exchange') {
        const { response, height } = await new Promise<ExchangeAnswer>((answered, failed) => {
          this.act(address, text.length, () => parseJson(text, depthMax), { answered, failed });
        });
        return jsonAnswer(response, height);
      }
      const body = parseJson(text, depthMax);
      if (route === 'explorer') return jsonAnswer(this.explore(body, address));
      const { data, height } = await this.ask(body, address);
      return jsonAnswer(data, height);
    } catch (error) {
      return this.failure(error);
    }
  }

  private failure(error: unknown): HttpAnswer {
    if (isMalformed(error)) return malformedAnswer;
    if (error instanceof Overloaded) {
      this.options.metrics.refused.inc({ reason: error.isTemporary ? 'busy' : 'stopping' });
      return error.isTemporary ? tooManyAnswer : textAnswer(503, error.message);
    }
    if (error instanceof TooHeavy) {
      this.options.metrics.refused.inc({ reason: 'weight' });
      return tooManyAnswer;
    }
    throw error;
  }

  /** An action, from the room that it takes to its end; `read` gives what was asked, when there is room for it. */
  private act(address: string, bytes: number, read: () => unknown, asker: ActionAsker): void {
    const leave = this.admission.enter(address, bytes);
    if (leave === undefined) {
      asker.failed(FULL);
      return;
    }
    const entered = new EnteredAction(asker, leave);
    try {
      const request = read();
      this.weigh(address, actionWeight(itemsIn(request)));
      this.options.exchange(request, entered);
    } catch (error) {
      entered.failed(error);
    }
  }

  private explore(body: unknown, address: string): unknown {
    this.weigh(address, EXPLORER_WEIGHT);
    return this.options.explorer(body);
  }

  private async ask(body: unknown, address: string): Promise<{ readonly data: unknown; readonly height: number }> {
    const type = fieldOf(asObject(body, 'the request'), 'type');
    const name = typeof type === 'string' ? type : '';
    this.weigh(address, infoWeight(name));
    const height = this.options.height();
    const data = await this.options.info(body);
    this.weights.add(address, answerWeight(name, data));
    return { data, height };
  }

  private weigh(address: string, weight: number): void {
    if (!this.weights.take(address, weight) && this.options.limitsEnforced) throw new TooHeavy();
  }

  // --- WebSocket --------------------------------------------------------------------------------------------------------------------------

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {});
    const { limits, limitsEnforced } = this.options;
    const address = addressOf(request.socket);
    if ((request.url ?? '').split('?')[0] !== '/ws') {
      endSocket(socket, 404, 'Not Found');
      return;
    }
    const ofAddress = [...this.streams.values()].filter((other) => other === address).length;
    const isTooMany = ofAddress >= limits.streamsOfAddress || !this.newStreams.take(address, 1);
    if (this.streams.size >= limits.streamsMax || (limitsEnforced && isTooMany)) {
      this.options.metrics.refused.inc({ reason: 'connections' });
      endSocket(socket, 429, 'Too Many Requests');
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const stream: StreamConnection = new StreamConnection(webSocket, {
        hub: this.options.hub,
        limits: limits.stream,
        allowMessage: () => this.messages.take(address, 1) || !limitsEnforced,
        post: (type, payload, bytes, reply) => this.streamPost(type, payload, { address, bytes, reply }),
        refusals: this.refusals,
        wire: socket,
        onFault: (error) => this.options.onFault(error, '/ws'),
        onClosed: (reason) => {
          this.streams.delete(stream);
          if (reason !== CLIENT_CLOSED) this.options.metrics.dropped.inc({ reason });
        },
      });
      this.streams.set(stream, address);
    });
  }

  /** The same answers as over HTTP, in the form of posts. */
  private streamPost(type: string, payload: unknown, { address, bytes, reply }: StreamPost): void {
    const failed = (error: unknown): void => reply(this.failedPost(error));
    if (type === 'action') {
      const answered = ({ response, height }: ExchangeAnswer): void => reply({ type: 'action', payload: response, height });
      this.act(address, bytes, () => payload, { answered, failed });
    } else if (type === 'info') {
      this.ask(payload, address).then(({ data, height }) => {
        reply({ type: 'info', payload: { type: fieldOf(payload as JsonObject, 'type'), data }, height });
      }, failed);
    } else reply({ type: 'error', payload: malformedAnswer.body });
  }

  private failedPost(error: unknown): PostReply {
    try {
      const { status, body } = this.failure(error);
      return { type: 'error', payload: `${status}: ${body}`, ...(status === TOO_MANY ? { isRefusal: true } : {}) };
    } catch (fault) {
      this.options.onFault(fault, '/ws');
      return { type: 'error', payload: '500: Internal error' };
    }
  }
}

/** An action that counts as under way until whoever has asked for it is told. */
class EnteredAction implements ActionAsker {
  private readonly asker: ActionAsker;
  private readonly leave: () => void;

  constructor(asker: ActionAsker, leave: () => void) {
    this.asker = asker;
    this.leave = leave;
  }

  answered(answer: ExchangeAnswer): void {
    this.leave();
    this.asker.answered(answer);
  }

  failed(error: unknown): void {
    this.leave();
    this.asker.failed(error);
  }
}

class TooHeavy extends Error {}

/** One for all: where it comes from says nothing, and a trace costs more than the rest of a refusal. */
const FULL = new Overloaded('Too many requests', true);
const TOO_MANY = 429;

const GOING_AWAY = 1001;
const WS_PAYLOAD_MAX = 1024 * 1024;
const GET_PATHS = new Set(['/health', '/ready', '/metrics']);

const isRoute = (name: string): name is Route => name === 'info' || name === 'exchange' || name === 'explorer';

const addressOf = (socket: Socket): string => socket.remoteAddress ?? 'unknown';

function endSocket(socket: Duplex, status: number, text: string): void {
  if (socket.writable) socket.end(`HTTP/1.1 ${status} ${text}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

/** How many orders or cancels a body seems to have, before it is looked at closely. */
function itemsIn(body: unknown): number {
  const { action } = Object(body) as { action?: unknown };
  const { orders, cancels, modifies } = Object(action) as { orders?: unknown; cancels?: unknown; modifies?: unknown };
  const list = orders ?? cancels ?? modifies;
  return Array.isArray(list) ? list.length : 1;
}
