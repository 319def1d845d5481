import type { PlainError } from '../../src/errors/plain-error.js';
import type { Body } from '../../src/model/body.js';
import { bodyOf } from '../../src/model/body.js';
import type { Connection, DirectiveHeader, Transport } from '../../src/ports/transport.js';
import type { HeldRun } from '../../src/protocol/directives.js';
import type { Turns } from '../protocol/memory-pipe.js';

type Received = DirectiveHeader & { readonly type: string };

const CANCELLED: PlainError = { name: 'Error', message: 'enough', code: 'RUN_CANCELLED' };

/** What a worker says of a run that it was given. */
export const holdOf = ({ runId, attempt, lease }: DirectiveHeader, state: HeldRun['state']): HeldRun =>
  ({ runId, attempt, lease, state }) as HeldRun;

/** A node that says just what a test tells it to, and keeps all that it hears. */
export class ScriptedPeer {
  readonly heard: Received[] = [];
  readonly bodies: (Body | undefined)[] = [];
  isClosed = false;
  /** Gives no pulse when it is asked. */
  isSilent = false;
  readonly #connection: Connection;
  readonly #turns: Turns;
  #sequence = 0;

  private constructor(connection: Connection, turns: Turns) {
    this.#connection = connection;
    this.#turns = turns;
    connection.inbound$.subscribe({
      next: ({ header, body }) => {
        this.heard.push(header as Received);
        this.bodies.push(body);
        const isAsked = header['type'] === 'v1.heartbeat.check_pulse' && !this.isSilent;
        if (isAsked) this.#send({ type: 'v1.heartbeat.give_pulse', status: 'IDLE' });
      },
      complete: () => (this.isClosed = true),
    });
  }

  static async dial(
    transport: Transport,
    turns: Turns,
    hello: { readonly role: string; readonly name: string; readonly resume?: unknown },
  ): Promise<ScriptedPeer> {
    const peer = new ScriptedPeer(await transport.dial('piped:service'), turns);
    peer.#connection.send({
      header: { type: 'hello', protocols: [1], codec: 'msgpackr-1', serializers: [], ...hello },
    });
    await turns.settle();
    return peer;
  }

  /** Sends a directive of its session, numbered on. */
  async say(header: DirectiveHeader, body?: Body): Promise<void> {
    this.#send(header, body);
    await this.#turns.settle();
  }

  #send(header: DirectiveHeader, body?: Body): void {
    this.#sequence += 1;
    const stamped = { session: this.session, sequence: this.#sequence, ...header };
    this.#connection.send(body ? { header: stamped, body } : { header: stamped });
  }

  get session(): unknown {
    return this.heard[0]?.['session'];
  }

  async request(runId: string, body: Body | undefined, extra: DirectiveHeader = {}): Promise<void> {
    const routineId = 'tname:test:train:1.0.0';
    const run = { runId, rootRunId: runId, routineId, attempt: 1, lease: 0 };
    await this.say({ type: 'v1.routine.request_start', ...run, ...extra }, body);
  }

  /** Asks again for what it asked for before it lost its connection. */
  async resume(runId: string, extra: DirectiveHeader = {}): Promise<void> {
    await this.request(runId, undefined, { resumed: true, ...extra });
  }

  /** Asks how a detached run goes on. */
  async observe(runId: string): Promise<void> {
    await this.say({ type: 'v1.routine.observe', runId, attempt: 1, lease: 0 });
  }

  /** Wants a run no more. */
  async cancel(runId: string, error: PlainError = CANCELLED): Promise<void> {
    await this.say({ type: 'v1.routine.cancel', runId, attempt: 1, lease: 0, error });
  }

  /** Tells of a run that it was given. */
  async tell(type: string, request: DirectiveHeader, extra: DirectiveHeader, body?: Body): Promise<void> {
    const { runId, attempt, lease } = request;
    await this.say({ type, runId, attempt, lease, ...extra }, body);
  }

  /** Has the outcome of a run. */
  async acknowledge(runId: string, attempt = 1): Promise<void> {
    await this.say({ type: 'v1.routine.ack', runs: [{ runId, attempt, lease: 0 }] });
  }

  async complete(
    request: DirectiveHeader,
    body: Body = bodyOf({ head: new Uint8Array([9]), buffers: [] }),
    extra: DirectiveHeader = {},
  ): Promise<void> {
    await this.tell('v1.routine.completed', request, { durationMs: 1_000, ...extra }, body);
  }

  /** Leaves for good. */
  async close(): Promise<void> {
    if (!this.isClosed) await this.say({ type: 'v1.node.leaving' });
    await this.cut();
  }

  /** Loses its connection. */
  async cut(): Promise<void> {
    void this.#connection.close();
    await this.#turns.settle();
  }

  /** Everything of one type that it heard. */
  all(type: string): Received[] {
    return this.heard.filter((header) => header.type === type);
  }

  /** Ids of runs whose outcomes it may forget, in order. */
  get acknowledged(): unknown[] {
    return this.all('v1.routine.ack').flatMap(({ runs }) =>
      (runs as DirectiveHeader[]).map(({ runId }) => runId),
    );
  }

  /** The last of one type. */
  last(type: string): Received {
    const found = this.all(type).at(-1);
    if (!found)
      throw new Error(`No ${type} came; there is ${this.heard.map((each) => each.type).join(', ')}`);
    return found;
  }

  /** The body that came with the last of one type. */
  bodyOfLast(type: string): Body | undefined {
    return this.bodies[this.heard.lastIndexOf(this.last(type))];
  }

  /** The run that it was asked to run last. */
  get lastRequest(): Received {
    return this.last('v1.routine.request_start');
  }

  /** Run ids that it was asked to run, in order. */
  get asked(): unknown[] {
    return this.all('v1.routine.request_start').map((header) => header['runId']);
  }
}
