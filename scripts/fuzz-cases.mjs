// The bytes that scripts/fuzz-codec.mjs decodes: what the codec writes, damaged; trees of its tags in any order; noise.
// All of it follows from the seed and from what was kept.

/** Most encoded values to go on from. */
const CORPUS = 400;
/** Larger ones are not kept. */
const KEPT_BYTES = 8 * 1024;

const TAGS = 'uzntrahopdxmsbleivqyfgkc?'.split('').map((letter) => `\0${letter}`);
const PARTS = [
  0,
  1,
  2,
  3,
  7,
  8,
  11,
  13,
  -1,
  1.5,
  1e9,
  2 ** 32 - 1,
  NaN,
  '',
  'a',
  '-ff',
  'g',
  'gg',
  '(',
  'code',
  null,
  true,
];
const NAMES = [
  'Error',
  'RoutineEngineError',
  'AggregateError',
  'fuzz/Pair',
  'fuzz/None',
  'http://a/',
  'cause',
  'errors',
  'i',
  'w',
];
/** What a reference is in bytes. */
const ENTRY = ['0'.repeat(64), 'mem:one', 'tname:a:b:1.0.0', 5, 'bg=='];
const RISKY_KEYS = ['__proto__', 'constructor', 'prototype', 'toJSON', 'length', 'then'];
/** Underscores in two bytes each: no UTF-8, but some readers take it. */
const OVERLONG = [...Buffer.from([0xae]), ...Buffer.from('c19fc19f70726f746fc19fc19f', 'hex')];

/** What is put into bytes as it is: beginnings of items, keys with a meaning elsewhere, lengths that are too great. */
const PIECES = [
  ...RISKY_KEYS.map((key) => [0xa0 + key.length, ...Buffer.from(key)]),
  ...TAGS.map((tag) => [0x92, 0xa2, ...Buffer.from(tag)]),
  OVERLONG,
  [0xc1],
  [0xc0],
  [0x90],
  [0x80],
  [0x91],
  [0x81],
  [0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0],
  [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 1],
  [0xce, 0xff, 0xff, 0xff, 0xff],
  [0xdd, 0xff, 0xff, 0xff, 0xff],
  [0xdd, 0, 0, 1, 0],
  [0xdf, 0x7f, 0xff, 0xff, 0xff],
  [0xdb, 0xff, 0xff, 0xff, 0xff],
  [0xd4, 0x72, 0x40],
  [0xd6, 0x69, 0, 0, 0, 1],
  [0xc7, 0x10, 0x74],
];

/** Chance that gives the same for the same seed. */
class Chance {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** From 0 to `end - 1`. */
  below(end) {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  of(list) {
    return list[this.below(list.length)];
  }

  bytes(length) {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** Encoded values to decode, one after the other without end. */
export class Cases {
  #codec;
  #chance;
  #corpus;
  #first;
  #kinds = [
    () => this.#damaged(),
    () => this.#damaged(),
    () => this.#damaged(),
    () => this.#spliced(),
    () => this.#tree(),
    () => this.#tree(),
    () => this.#noise(),
    () => this.#wrapped(),
    () => this.#chance.of(this.#corpus),
  ];
  #damages = [
    (bytes) => bytes.subarray(0, this.#chance.below(bytes.length + 1)),
    (bytes) => this.#flipped(bytes, 1 + this.#chance.below(6)),
    (bytes) => this.#flipped(bytes, 1),
    (bytes) => this.#replaced(bytes, 0, [this.#chance.below(256)]),
    (bytes) => this.#replaced(bytes, 0, this.#chance.of(PIECES)),
    (bytes) => this.#replaced(bytes, this.#chance.below(12), this.#chance.of(PIECES)),
    (bytes) => this.#replaced(bytes, this.#chance.below(12), []),
    (bytes) => this.#replaced(bytes, 0, this.#part(bytes)),
    (bytes) => this.#replaced(bytes, this.#chance.below(12), this.#part(this.#chance.of(this.#corpus).head)),
  ];

  constructor(codec, seed, values) {
    this.#codec = codec;
    this.#chance = new Chance(seed);
    this.#corpus = values.map((value) => codec.encode(value, { streams: true }));
    this.#first = this.#corpus.length;
  }

  next() {
    const encoded = this.#chance.of(this.#kinds)();
    if (this.#chance.below(8) > 0) return encoded;
    return { head: encoded.head, buffers: this.#otherBuffers(encoded.buffers) };
  }

  /** Goes on from an encoded value later, in place of one that was kept before. */
  keep(encoded) {
    const bytes = encoded.buffers.reduce((sum, { length }) => sum + length, encoded.head.length);
    if (bytes > KEPT_BYTES || this.#chance.below(20) > 0) return;
    const isFull = this.#corpus.length >= CORPUS;
    const at = isFull ? this.#first + this.#chance.below(CORPUS - this.#first) : this.#corpus.length;
    this.#corpus[at] = encoded;
  }

  #damaged() {
    const { head, buffers } = this.#chance.of(this.#corpus);
    let bytes = Uint8Array.from(head);
    for (let left = 1 + this.#chance.below(3); left > 0; left -= 1)
      bytes = this.#chance.of(this.#damages)(bytes);
    return { head: bytes, buffers };
  }

  #flipped(bytes, count) {
    for (let left = count; left > 0 && bytes.length > 0; left -= 1) {
      bytes[this.#chance.below(bytes.length)] ^= 1 << this.#chance.below(8);
    }
    return bytes;
  }

  /** `count` bytes anywhere replaced by others. */
  #replaced(bytes, count, others) {
    const at = this.#chance.below(bytes.length + 1);
    return Uint8Array.of(...bytes.subarray(0, at), ...others, ...bytes.subarray(at + count));
  }

  #part(bytes) {
    const from = this.#chance.below(bytes.length + 1);
    return bytes.subarray(from, from + this.#chance.below(40));
  }

  #spliced() {
    const one = this.#chance.of(this.#corpus);
    const other = this.#chance.of(this.#corpus);
    const from = one.head.subarray(0, this.#chance.below(one.head.length + 1));
    const to = other.head.subarray(this.#chance.below(other.head.length + 1));
    return { head: Uint8Array.of(...from, ...to), buffers: this.#chance.of([one, other]).buffers };
  }

  #noise() {
    const bytes = this.#chance.bytes(this.#chance.below(60));
    return { head: this.#chance.below(2) === 0 ? bytes : Uint8Array.of(0xc1, ...bytes), buffers: [] };
  }

  /** Many containers around what may fit in or not. */
  #wrapped() {
    const { head, buffers } = this.#chance.of(this.#corpus);
    const [first, rest] = head[0] === 0xc1 ? [[0xc1], head.subarray(1)] : [[], head];
    const around = this.#chance.of([[0x91], [0x81, 0xa1, 0x61], [0x92, 0xa2, 0x00, 0x73]]);
    const count = this.#chance.of([1, 9, 150, 195, 198, 199, 200, 201, 250, 1_000]);
    const wraps = Array.from({ length: count }, () => around).flat();
    return { head: Uint8Array.of(...first, ...wraps, ...rest), buffers };
  }

  /** A tree whose bytes are well-formed, of nodes that need not be. */
  #tree() {
    const { head } = this.#codec.encode(this.#root(this.#node(this.#chance.below(6))));
    return { head: Uint8Array.of(0xc1, ...head), buffers: this.#otherBuffers([]) };
  }

  /** A value with or without what may stand around it. */
  #root(node) {
    const entries = Array.from({ length: this.#chance.below(3) }, () =>
      this.#chance.below(4) > 0 ? ENTRY : this.#node(2),
    );
    const withStreams = ['\0k', this.#chance.below(4), node];
    return this.#chance.of([node, node, withStreams, ['\0g', entries, node], ['\0g', entries, withStreams]]);
  }

  #node(depth) {
    if (depth === 0) return this.#chance.of(this.#chance.of([PARTS, PARTS, NAMES]));
    const items = Array.from({ length: this.#chance.below(6) }, () => this.#node(this.#chance.below(depth)));
    switch (this.#chance.below(4)) {
      case 0:
        return items;
      case 1:
        return Object.fromEntries(
          items.map((item, index) => [this.#chance.of(['a', 'then', `${index}`]), item]),
        );
      default:
        return [this.#chance.of(TAGS), ...items];
    }
  }

  #otherBuffers(buffers) {
    switch (this.#chance.below(5)) {
      case 0:
        return buffers.slice(1);
      case 1:
        return buffers.toReversed();
      case 2:
        return [...buffers, this.#chance.bytes(this.#chance.below(40))];
      case 3:
        return buffers.map((bytes) =>
          bytes.subarray(this.#chance.below(9), bytes.length - this.#chance.below(9)),
        );
      default:
        return Array.from({ length: this.#chance.below(4) }, () =>
          this.#chance.bytes(8 * this.#chance.below(5)),
        );
    }
  }
}
