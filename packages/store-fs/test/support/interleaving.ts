import { bytesOfTag, digestOf } from '../place.ts';
import type { Agent, Order } from './agents.ts';

const BLOB_BYTES = [200, 30_000, 400_000];
const keyOf = (number: number): string => `ab${number}`.padEnd(64, '0');
const digestOfBlob = (number: number): string =>
  digestOf(bytesOfTag(`blob-${number}`, BLOB_BYTES[number] ?? 0));
const KEYS = [0, 1, 2].map(keyOf);
const DIGESTS = [0, 1, 2].map(digestOfBlob);

/** What one of the processes is asked for; `of` is the number of a key or a blob. */
export interface Command {
  readonly agent: number;
  readonly what:
    | 'put'
    | 'get'
    | 'has'
    | 'delete'
    | 'pin'
    | 'unpin'
    | 'putBlob'
    | 'getBlob'
    | 'deleteBlob'
    | 'collect';
  readonly of: number;
  readonly byteLength: number;
  readonly stream: boolean;
}

export interface Done extends Command {
  readonly tag: string;
  readonly answer: unknown;
}

/** What there is when nobody is at work. */
export interface State {
  readonly results: ReadonlyMap<
    string,
    { readonly tag: string; readonly pinned: boolean; readonly blobs: readonly string[] }
  >;
  readonly blobs: ReadonlySet<string>;
}

/** Whether all results are to go that are not pinned, not only blobs that none names. */
const isThorough = ({ of }: Pick<Command, 'of'>): boolean => of > 0;

export function orderOf(one: Command, tag: string): Order {
  const { what, of, byteLength, stream } = one;
  const blob = { digest: digestOfBlob(of), byteLength: BLOB_BYTES[of] };
  switch (what) {
    case 'put':
      return { operation: what, key: keyOf(of), tag, byteLength, stream, blobs: [blob] };
    case 'pin':
    case 'unpin':
      return { operation: 'pin', key: keyOf(of), pinned: what === 'pin' };
    case 'putBlob':
      return { operation: what, tag: `blob-${of}`, byteLength: BLOB_BYTES[of], stream };
    case 'getBlob':
    case 'deleteBlob':
      return { operation: what, digest: blob.digest };
    case 'collect':
      return { operation: what, options: isThorough(one) ? { maxItems: 0 } : {} };
    default:
      return { operation: what, key: keyOf(of) };
  }
}

/** @returns the value, or for a blob that went while it was read, nothing. */
export async function answerOf(agent: Agent, order: Order): Promise<unknown> {
  try {
    return await agent.ask(order);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'CONTENT_MISSING') return undefined;
    throw error;
  }
}

export async function stateOf(agent: Agent): Promise<State> {
  const results = new Map<string, { tag: string; pinned: boolean; blobs: readonly string[] }>();
  const listed = (await agent.ask({ operation: 'list' })) as { key: string; pinned: boolean }[];
  for (const { key, pinned } of listed) {
    const found = (await agent.ask({ operation: 'get', key })) as { tag: string; blobs: string[] };
    results.set(key, { ...found, pinned });
  }
  const blobs = (await agent.ask({ operation: 'listBlobs' })) as string[];
  for (const digest of blobs) {
    if ((await agent.ask({ operation: 'getBlob', digest })) !== digest)
      throw new Error(`The blob ${digest} is torn`);
  }
  return { results, blobs: new Set(blobs) };
}

/** What was told that does not fit what there was before and is now; nothing when everybody was told the truth. */
export function untruths(before: State, done: readonly Done[], now: State): string[] {
  const told = [
    ...KEYS.flatMap((key) => untruthsOfResult(key, before, done, now)),
    ...DIGESTS.flatMap((digest) => untruthsOfBlob(digest, before, done, now)),
    ...(done.every(({ what }) => what === 'collect')
      ? untruthsOfCollector(before, now, done.some(isThorough))
      : []),
  ];
  return told.map(
    (what) => `${what}: ${JSON.stringify({ before: [...before.results], done, now: [...now.results] })}`,
  );
}

function untruthsOfResult(key: string, before: State, done: readonly Done[], now: State): string[] {
  const [was, is] = [before.results.get(key), now.results.get(key)];
  const mine = done.filter(
    ({ what, of }) => !what.includes('Blob') && what !== 'collect' && keyOf(of) === key,
  );
  const collected = collectedOf(done, key);
  const stored = mine.filter(({ what, answer }) => what === 'put' && answer === 'stored');
  const deletes = mine.filter(({ what }) => what === 'delete');
  const removed = deletes.filter(({ answer }) => answer === true).length + collected;
  const stayed = was !== undefined && removed === 0;
  const known = [was?.tag, is?.tag, ...stored.map(({ tag }) => tag), ...(stayed ? [] : [undefined])];
  const got = mine.flatMap(({ what, answer }) =>
    what === 'get' ? [(answer as { tag: string } | undefined)?.tag] : [],
  );
  const isPinned = mine.some(({ what, answer }) => what === 'pin' && answer === true);
  const isUnpinned = mine.some(({ what }) => what === 'unpin');
  const mustBePinned = is && removed === 0 && (was?.pinned || isPinned) && !isUnpinned;
  return wrong({
    'Not as many are there as were put and removed': Number(!!was) + stored.length - removed !== Number(!!is),
    'One was got that nobody put': got.some((tag) => tag === 'WRONG' || !known.includes(tag)),
    'One was missed that was there':
      stayed && mine.some(({ what, answer }) => what === 'has' && answer !== true),
    'One was replaced': stayed && is?.tag !== was.tag,
    'A pin was refused for one that was there':
      stayed && mine.some(({ what, answer }) => what === 'pin' && answer !== true),
    'A pin was lost': mustBePinned && !is.pinned,
    'One was pinned by nobody': is?.pinned && !was?.pinned && !isPinned,
    'A pinned one was collected': was?.pinned && !isUnpinned && deletes.length === 0 && collected > 0,
  });
}

function untruthsOfBlob(digest: string, before: State, done: readonly Done[], now: State): string[] {
  const mine = done.filter(({ what, of }) => what.includes('Blob') && digestOfBlob(of) === digest);
  const stored = mine.filter(
    ({ answer }) => (answer as { outcome?: string } | undefined)?.outcome === 'stored',
  );
  const deleted = mine.filter(({ what, answer }) => what === 'deleteBlob' && answer === true);
  const removed = deleted.length + collectedOf(done, digest);
  const [was, is] = [before.blobs.has(digest), now.blobs.has(digest)];
  const stayed = was && removed === 0;
  const got = mine.filter(({ what }) => what === 'getBlob').map(({ answer }) => answer);
  return wrong({
    'Not as many blobs are there as were put and removed':
      Number(was) + stored.length - removed !== Number(is),
    'A blob was torn': got.some((answer) => answer !== undefined && answer !== digest),
    'A blob was missed that was there': stayed && got.includes(undefined),
  });
}

/** A collector that nobody disturbed leaves what it is to leave, and the blobs of that, and nothing else. */
function untruthsOfCollector(before: State, now: State, pinnedOnly: boolean): string[] {
  const left = [...before.results].filter(([, { pinned }]) => pinned || !pinnedOnly);
  const needed = new Set(left.flatMap(([, { blobs }]) => blobs).filter((digest) => before.blobs.has(digest)));
  const isSame = (one: Iterable<string>, other: Iterable<string>): boolean =>
    [...one].toSorted().join() === [...other].toSorted().join();
  return wrong({
    'The collector left others than it should': !isSame(
      now.results.keys(),
      left.map(([key]) => key),
    ),
    'The collector left others than the needed blobs': !isSame(now.blobs, needed),
  });
}

function collectedOf(done: readonly Done[], of: string): number {
  const collected = done.flatMap(({ what, answer }) => (what === 'collect' ? (answer as string[]) : []));
  return collected.filter((one) => one === of).length;
}

function wrong(found: Readonly<Record<string, boolean | undefined>>): string[] {
  return Object.keys(found).filter((name) => found[name]);
}
