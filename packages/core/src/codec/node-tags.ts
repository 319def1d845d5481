/**
 * The format `msgpackr-1`. A head is one of two things:
 *
 * 1. a msgpack value that stands for itself, when the value is simple (see `simple-values.ts`) and has no buffers;
 * 2. the byte 0xc1, which msgpack never uses, and a msgpack tree. In it an array whose first element is a string that
 *    begins with U+0000 is a node: the string is its tag, the rest is what the table says. Everything else stands
 *    for itself. The containers of a value (all nodes from `array` on, plain arrays and plain objects) are numbered in
 *    the order in which a walk from the root first comes to them; `reference` names one by its number. The root may
 *    stand in a `streams` node, and that, or the root, in a `references` node: only there, and in this order.
 *
 * The last buffers are the streams of the value; what is said of the last buffer below means the last one before them.
 *
 * Only these msgpack types occur: nil, booleans, integers of up to 32 bits, float 64, strings, arrays, maps with
 * string keys. A text is a string or a `text` node.
 */
export const TAG = {
  /** No content. */
  undefined: '\0u',
  /** No content: the number -0. */
  minusZero: '\0z',
  /** Hexadecimal digits, behind `-` when negative. */
  bigint: '\0n',
  /** A string in pieces: strings, and UTF-16 units as numbers where UTF-8 or msgpackr would not carry them. */
  text: '\0t',
  /** Number of a container that was met before. */
  reference: '\0r',
  /** Number of an entry of `references`: what that stands for belongs here. */
  ref: '\0f',
  /**
   * Entries, root: what stands for stored results in the value. An entry has key, store (text), routine id (text), length in
   * bytes, and the bytes that stand for it in digests (base64). Each key of a store is there once. The node has its
   * shortest msgpack form, so that it is known by its first bytes.
   */
  references: '\0g',
  /** How many of the last buffers are streams, root. */
  streams: '\0k',

  /** The items of an array whose first item is a string that begins with U+0000. */
  array: '\0a',
  /** Length, then index and item in turns: an array with holes. */
  sparse: '\0h',
  /** Key (text) and value in turns: a plain object with a key that msgpackr would not carry. */
  object: '\0o',
  /** Key (text) and value in turns: an object without prototype. */
  nullObject: '\0p',
  /** Milliseconds since 1970 (UTC), NaN for an invalid date. */
  date: '\0d',
  /** Source (text), flags, `lastIndex`. */
  regexp: '\0x',
  /** Key and value in turns, in the order of the map. */
  map: '\0m',
  /** Items in the order of the set. */
  set: '\0s',
  /** The primitive in a Boolean, Number, String or BigInt object. */
  boxed: '\0b',
  /** The URL's text. */
  url: '\0l',
  /** Class name (text), message (text), stack (text or null), then key (text) and value in turns. */
  error: '\0e',
  /** Key of the serializer, and what it made of the instance. */
  instance: '\0i',
  /**
   * Code of a binary kind: a binary value that is all of the next buffer. Buffers are taken in the order in which a
   * walk comes to the nodes.
   */
  bytes: '\0v',
  /** Code of a binary kind, length in bytes: the next bytes of the last buffer, which holds all small values. */
  smallBytes: '\0q',
  /** Code of a binary kind, number of a buffer, offset and length in bytes: values that share memory. */
  sharedBytes: '\0y',
  /**
   * Kind (`i`: async iterable, `w`: web stream), and the number of its buffer, counted back from the last one, which is 0:
   * a stream of bytes. It is a container that no `reference` may name.
   */
  stream: '\0c',
} as const;

/** First byte of a head of the second form. */
export const TREE_BYTE = 0xc1;
