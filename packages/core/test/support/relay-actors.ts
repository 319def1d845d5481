import { bodyOf, type Body } from '../../src/model/body.js';
import { readerOf } from '../protocol/connected.js';
import type { ScriptedPeer } from './scripted-peer.js';
import { TrackedBody } from './tracked-body.js';

type Heard = ScriptedPeer['heard'][number];

/** What can be given, and what becomes of it. */
export type Given = 'small' | 'streams' | 'breaks';

const ERROR = { name: 'Error', message: 'as the test says' };

/** Reads one body, at most once. */
class Reading {
  readonly #body: Body;
  #reader: AsyncIterator<Uint8Array> | undefined;
  end: 'read' | 'cut' | 'given-up' | undefined;

  constructor(body: Body) {
    this.#body = body;
    if (body.parts) this.end = 'read';
  }

  async read(most: number): Promise<void> {
    this.#reader ??= readerOf(this.#body);
    try {
      for (let chunks = 0; chunks < most && !this.end; chunks += 1)
        if ((await this.#reader.next()).done === true) this.end ??= 'read';
    } catch {
      // Its sender could not send all of it.
      this.end ??= 'cut';
    }
  }

  giveUp(): void {
    if (this.end) return;
    this.end = 'given-up';
    this.#reader ??= readerOf(this.#body);
    void this.#reader.return?.();
  }
}

/** What both kinds of actors have: bodies that they sent, and those that they got. */
abstract class Actor {
  readonly peer: ScriptedPeer;
  readonly sent: TrackedBody[] = [];
  readonly #readings = new Map<number, Reading>();
  isGone = false;

  constructor(peer: ScriptedPeer) {
    this.peer = peer;
  }

  /** The reading of the body that came with what was heard. */
  reading(heard: Heard): Reading | undefined {
    const index = this.peer.heard.indexOf(heard);
    const body = this.peer.bodies[index];
    if (!body) return undefined;
    const reading = this.#readings.get(index) ?? new Reading(body);
    this.#readings.set(index, reading);
    return reading;
  }

  protected make(given: Given): Body {
    if (given === 'small') return bodyOf({ head: new Uint8Array([7]), buffers: [] });
    const body = new TrackedBody(given === 'breaks');
    this.sent.push(body);
    return body;
  }

  async leave(): Promise<void> {
    this.isGone = true;
    await this.peer.close();
  }
}

/** A node that keeps to the protocol, and may be slow at that. */
export class RequesterActor extends Actor {
  readonly runIds: string[] = [];
  readonly #cancelled = new Set<string>();
  /** Run ids, and how many resends of theirs were answered. */
  readonly #answered = new Map<string, number>();

  request(runId: string, given: Given, queueTimeoutMs: number | undefined): Promise<void> {
    this.runIds.push(runId);
    return this.peer.request(runId, this.make(given), queueTimeoutMs === undefined ? {} : { queueTimeoutMs });
  }

  /** The same request once more, though nobody may have asked for it. */
  repeat(runId: string, given: Given): Promise<void> | undefined {
    const isOpen = !this.#cancelled.has(runId) && this.finalAnswers(runId) === 0;
    return isOpen ? this.#send(runId, given) : undefined;
  }

  answerResend(given: Given): Promise<void> | undefined {
    const isDue = (runId: string): boolean =>
      !this.#cancelled.has(runId) && this.#resends(runId) > (this.#answered.get(runId) ?? 0);
    const due = this.runIds.find(isDue);
    return due === undefined ? undefined : this.#send(due, given);
  }

  #send(runId: string, given: Given): Promise<void> {
    this.#answered.set(runId, this.#resends(runId));
    return this.peer.request(runId, this.make(given));
  }

  #resends(runId: string): number {
    return this.peer.all('v1.routine.resend').filter((heard) => heard['runId'] === runId).length;
  }

  cancel(runId: string): Promise<void> {
    this.#cancelled.add(runId);
    return this.peer.cancel(runId, { ...ERROR, code: 'RUN_CANCELLED' });
  }

  results(runId: string): Heard[] {
    return this.peer.all('v1.routine.completed').filter((heard) => heard['runId'] === runId);
  }

  /** Answers of a run. A result whose bytes could not be sent to their end is none, and one that was given up may be none. */
  finalAnswers(runId: string): number {
    const failed = this.peer.all('v1.routine.failed').filter((heard) => heard['runId'] === runId).length;
    const ends = this.results(runId).map((heard) => this.reading(heard)?.end);
    const whole = ends.filter((end) => end !== 'cut' && end !== 'given-up').length;
    const answers = failed + whole || ends.filter((end) => end === 'given-up').length;
    // What is cancelled is said to be so, also when its outcome was on its way.
    return this.#cancelled.has(runId) ? Math.min(1, answers) : answers;
  }
}

/** A node that runs what it is given, as a test says. */
export class WorkerActor extends Actor {
  readonly #hung = new Set<unknown>();
  readonly #over = new Set<unknown>();

  /** What it was asked to run and has not reported the end of. */
  get held(): Heard[] {
    return this.peer.all('v1.routine.request_start').filter(({ lease }) => !this.#over.has(lease));
  }

  /** How much of that never hung: what hangs gives its slot away, and computes again without one. */
  get inSlots(): number {
    return this.held.filter(({ lease }) => !this.#hung.has(lease)).length;
  }

  start(request: Heard): Promise<void> {
    return this.peer.tell('v1.routine.starting', request, { worker: 'scripted' });
  }

  hang(request: Heard, waits: boolean): Promise<void> {
    this.#hung.add(request['lease']);
    return this.peer.tell('v1.routine.hanging', request, { waits });
  }

  complete(request: Heard, given: Given): Promise<void> {
    this.#over.add(request['lease']);
    return this.peer.complete(request, this.make(given));
  }

  fail(request: Heard, again: 'no' | 'busy' | 'lost' | 'downfall'): Promise<void> {
    this.#over.add(request['lease']);
    this.reading(request)?.giveUp();
    const ended = { cancelled: false, again, error: ERROR };
    return this.peer.tell('v1.routine.failed', request, ended);
  }
}
