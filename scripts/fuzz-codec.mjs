// `npm run fuzz -- --seconds 30 --seed 1`: decodes damaged and random bytes for as long as asked, or `--decodes N` times.
// Whatever the bytes are, a decode gives a value or one of three codes: in time, in memory that does not grow, and with
// no prototype changed. What it gave is encoded again. What fails is printed, for `--replay HEX`.
import { fork } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inspect, parseArgs } from 'node:util';
import { Cases } from './fuzz-cases.mjs';
import { Pair, Stored, valuesToDamage } from './fuzz-values.mjs';
import { prepare } from './prepare.mjs';

const CODES = new Set(['BYTES_MALFORMED', 'VALUE_TOO_DEEP', 'SERIALIZER_UNKNOWN']);
/** Longest time for one decode. A busy machine may stop us meanwhile: the best of three counts. */
const SLOW_MS = 500;
/** Longest time without news of the process that decodes. */
const HANG_MS = 30_000;
const HEAP_MIB = 512;
/** How much the heap and the buffers may be larger than after the first round. */
const GROWTH_BYTES = 16 * 1024 * 1024;
const ROUND = 100_000;
const PROTOTYPE_CHECKS = 1_000;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    decodes: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    replay: { type: 'string' },
    notes: { type: 'string' },
  },
});

/** Starts a process that decodes, and sees to it that it comes to its end. */
async function watch() {
  prepare(['packages/core']);
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const notes = join(folder, 'case');
  const { seed, seconds, decodes } = options;
  const args = ['--seed', seed, '--seconds', seconds, '--decodes', decodes, '--notes', notes];
  const child = fork(fileURLToPath(import.meta.url), args, {
    execArgv: ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`],
  });
  let report;
  let failure;
  let watchdog;
  const fail = (reason) => {
    failure ??= reason;
    child.kill('SIGKILL');
  };
  const heard = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(fail, HANG_MS, `one decode took longer than ${HANG_MS / 1000} s`);
  };
  heard();
  child.on('message', (message) => {
    heard();
    report = message;
  });
  const [code, signal] = await new Promise((resolve) => child.once('exit', (...how) => resolve(how)));
  clearTimeout(watchdog);
  if (code !== 0) failure ??= report?.failure ?? `the process ended with ${signal ?? `code ${code}`}`;
  if (report) console.log(textOf(report));
  if (failure !== undefined) {
    const bytes = report?.bytes ?? lastCase(notes);
    const place = `decode ${report?.count ?? 0}${report?.bytes ? '' : ' or one soon after'}`;
    console.error(`FAILED: ${failure}\nseed ${seed}, ${place}\n--replay ${bytes}`);
  }
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = failure === undefined ? 0 : 1;
}

/** What the process noted last before it ended. */
function lastCase(notes) {
  const bytes = readFileSync(notes);
  if (bytes.length < 4) return 'nothing: it ended before its first decode';
  return bytes.subarray(4, 4 + bytes.readUInt32LE()).toString();
}

function textOf({ count, seconds, outcomes, encodedAgain, slowest, heap, rss }) {
  const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const counts = Object.entries(outcomes).map(([outcome, times]) => `${outcome} ${times}`);
  return [
    `seed ${options.seed}: ${count} decodes in ${seconds.toFixed(0)} s, ${Math.round(count / seconds)} a second`,
    `${counts.join(', ')}; encoded again ${encodedAgain}; slowest ${slowest.toFixed(1)} ms`,
    `heap after gc ${heap.map(mib).join(' .. ')} (first, last); resident ${mib(rss)}`,
  ].join('\n');
}

async function makeCodec() {
  const { MsgpackrCodec } = await import(
    new URL('../packages/core/dist/codec/msgpackr-codec.js', import.meta.url).href
  );
  return new MsgpackrCodec({
    serializers: [
      {
        key: 'fuzz/Pair',
        claims: (value) => value instanceof Pair,
        serialize: ({ items }) => items,
        deserialize: (plain) => {
          if (!Array.isArray(plain)) throw new TypeError('a pair is an array');
          return new Pair(plain);
        },
      },
    ],
  });
}

async function replay(text) {
  prepare(['packages/core']);
  const probe = new Probe(await makeCodec());
  const outcome = probe.decode(fromText(text), true);
  console.log(outcome, inspect(probe.value, { depth: 10 }));
  probe.checkPrototypes();
}

async function decodeMany() {
  const codec = await makeCodec();
  const cases = new Cases(codec, Number(options.seed), valuesToDamage());
  const probe = new Probe(codec);
  const notes = openSync(options.notes, 'w');
  const startedAt = performance.now();
  const until = startedAt + Number(options.seconds) * 1000;
  const most = Number(options.decodes);
  const outcomes = {};
  const heap = [];
  let count = 0;
  let encoded;
  const report = (rest) => ({
    ...{ count, outcomes, heap: [heap[0] ?? 0, heap.at(-1) ?? 0], rss: process.memoryUsage.rss() },
    ...{ seconds: (performance.now() - startedAt) / 1000 },
    ...{ slowest: probe.slowest, encodedAgain: probe.encodedAgain, ...rest },
  });
  try {
    while (count < most && performance.now() < until) {
      encoded = cases.next();
      const text = Buffer.from(`0000${toText(encoded)}`);
      text.writeUInt32LE(text.length - 4);
      writeSync(notes, text, 0, text.length, 0);
      count += 1;
      const outcome = probe.decode(encoded, count % 8 === 0);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (outcome === 'value') cases.keep(encoded);
      if (count % PROTOTYPE_CHECKS === 0) {
        probe.checkPrototypes();
        process.send(report());
        // Each web stream leaves a job for after the code that made it, and is kept until that job has run.
        await nextTurn();
      }
      if (count % ROUND === 0) {
        heap.push(heapAfterGc());
        if (heap.at(-1) - heap[0] > GROWTH_BYTES) throw new Error(`memory grew: ${heap.join(', ')} bytes`);
      }
    }
    probe.checkPrototypes();
    heap.push(heapAfterGc());
    process.send(report());
  } catch (error) {
    process.send(report({ failure: error.stack, bytes: toText(encoded) }));
    process.exitCode = 1;
  } finally {
    closeSync(notes);
    process.disconnect();
  }
}

function heapAfterGc() {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Decodes, and checks all that must hold whatever the bytes are. */
class Probe {
  slowest = 0;
  encodedAgain = 0;
  value;
  #codec;
  #prototypes = prototypeKeys();

  constructor(codec) {
    this.#codec = codec;
  }

  /** @returns `value`, or the code of the error. */
  decode(encoded, isCopied) {
    const outcome = this.#timed(encoded, isCopied);
    for (const key in {}) throw new Error(`every object has the property ${key} now`);
    if (outcome !== 'value') return outcome;
    const value = this.value;
    const again = this.#codec.encode(value, { streams: true });
    this.encodedAgain += 1;
    // Digests take longer than decodes: not for every value.
    if (!isCopied) return outcome;
    const arrived = this.#codec.decode(again, { copy: true, reference });
    if (this.#nodeOf(arrived) !== this.#nodeOf(value)) throw new Error('another value arrives');
    return outcome;
  }

  /** What stands for a value in digests, with the same content in all streams. */
  #nodeOf(value) {
    const { valueStreams = [] } = this.#codec.encode(value, { streams: true });
    const content = { digest: '0'.repeat(64), byteLength: 5 };
    const streams = new Map(valueStreams.map((stream) => [stream.value, content]));
    return Buffer.from(this.#codec.digestNode(value, { streams })).toString('hex');
  }

  #timed(encoded, copy) {
    let least = Infinity;
    let outcome;
    for (let tries = 0; tries < 3 && least > this.slowest; tries += 1) {
      const startedAt = performance.now();
      outcome = this.#outcome(encoded, copy);
      least = Math.min(least, performance.now() - startedAt);
    }
    this.slowest = Math.max(this.slowest, least);
    if (least > SLOW_MS) throw new Error(`a decode takes ${least.toFixed(0)} ms`);
    return outcome;
  }

  #outcome(encoded, copy) {
    this.value = undefined;
    const outcome = outcomeOf(() => {
      this.value = this.#codec.decode(encoded, { copy, reference });
    });
    const listed = outcomeOf(() => this.#codec.references(encoded));
    const asked = outcomeOf(() => this.#codec.contentPart(encoded));
    if (outcome === 'value' && (listed !== 'value' || asked !== 'value'))
      throw new Error(`of a value, references are ${listed} and the content is ${asked}`);
    return outcome;
  }

  checkPrototypes() {
    const keys = prototypeKeys();
    if (keys !== this.#prototypes) throw new Error(`a prototype has changed, not long ago: ${keys}`);
  }
}

const reference = (data) => new Stored(data);

/** `value`, or the code of the error. Other errors are faults. */
function outcomeOf(read) {
  try {
    read();
    return 'value';
  } catch (error) {
    if (error.constructor.name === 'RoutineEngineError' && CODES.has(error.code)) return error.code;
    throw error;
  }
}

function prototypeKeys() {
  const classes = [
    Object,
    Function,
    Array,
    Map,
    Set,
    Date,
    RegExp,
    Error,
    AggregateError,
    URL,
    String,
    Number,
  ];
  const binary = [
    Boolean,
    BigInt,
    ArrayBuffer,
    DataView,
    Buffer,
    Uint8Array,
    ReadableStream,
    Object.getPrototypeOf(Int8Array),
  ];
  return [...classes, ...binary, Pair]
    .flatMap((Class) => [...Reflect.ownKeys(Class), '|', ...Reflect.ownKeys(Class.prototype)])
    .map(String)
    .join();
}

/** `head:buffer,buffer` in hexadecimal digits; `-` is a buffer of no bytes. */
function toText({ head, buffers }) {
  const hex = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return `${hex(head)}:${buffers.map((bytes) => hex(bytes) || '-').join()}`;
}

function fromText(text) {
  const [head = '', buffers = ''] = text.split(':');
  const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
  return { head: bytes(head), buffers: buffers === '' ? [] : buffers.split(',').map(bytes) };
}

if (process.send) await decodeMany();
else if (options.replay !== undefined) await replay(options.replay);
else await watch();
