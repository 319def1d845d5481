import type { Step } from './recorded-disk.ts';
import type { Seeded } from './seeded.ts';

/** What a power cut left: the bytes of a file, or a directory of names. */
export type Left = Uint8Array | Map<string, number>;

/** How much of what was not synced a power cut leaves, of names and of bytes. */
const NAMES = ['none', 'all', 'first', 'some'] as const;
const BYTES = ['none', 'all', 'first', 'zeros', 'garbage', 'holes'] as const;
/** Pieces in which bytes are lost. */
const SECTOR_BYTES = 512;

type Names = Extract<Step, { type: 'names' }>;
type Write = Extract<Step, { type: 'write' }>;

/**
 * A state in which a power cut may leave the disk after some steps, as POSIX allows it: what was synced is there; of what
 * was not, bytes may be missing, zeros or garbage, also where the length is right, and names may be as they were before,
 * each for itself. A rename is there whole or not at all.
 * @returns by inode what is reachable, or could be.
 */
export function powerCut(steps: readonly Step[], root: number, chance: Seeded): Map<number, Left> {
  const syncedAt = new Map<number, number>();
  for (const [at, step] of steps.entries()) if (step.type === 'sync') syncedAt.set(step.inode, at);
  const isSynced = (inode: number, at: number): boolean => at < (syncedAt.get(inode) ?? -1);
  const left = new Map<number, Left>([[root, new Map()]]);
  const howNames = chance.one(NAMES);
  const writes = new Map<number, { write: Write; synced: boolean }[]>();
  const unsynced = steps.filter(
    (step, at) => step.type === 'names' && !step.changes.some(({ directory }) => isSynced(directory, at)),
  );
  const first = chance.below(unsynced.length + 1);
  const kept = new Set(
    unsynced.filter((_, at) => {
      if (howNames === 'first') return at < first;
      return howNames === 'all' || (howNames === 'some' && chance.next() < 0.5);
    }),
  );
  const lost = new Set(unsynced.filter((step) => !kept.has(step)));
  for (const [at, step] of steps.entries()) {
    if (step.type === 'names') changeNames(left, step, !lost.has(step));
    if (step.type !== 'write') continue;
    const ofFile = writes.get(step.inode) ?? [];
    ofFile.push({ write: step, synced: isSynced(step.inode, at) });
    writes.set(step.inode, ofFile);
  }
  for (const [inode, ofFile] of writes) left.set(inode, contentAfter(ofFile, chance));
  return left;
}

/** What is named later has to be known, though the name itself may be lost. */
function changeNames(left: Map<number, Left>, { changes }: Names, isKept: boolean): void {
  for (const { directory, name, inode, isDirectory } of changes) {
    if (inode !== undefined && !left.has(inode)) left.set(inode, isDirectory ? new Map() : new Uint8Array(0));
    const names = left.get(directory);
    if (!isKept || !(names instanceof Map)) continue;
    if (inode === undefined) names.delete(name);
    else names.set(name, inode);
  }
}

function contentAfter(writes: readonly { write: Write; synced: boolean }[], chance: Seeded): Uint8Array {
  const lengthOf = (some: readonly { write: Write }[]): number =>
    Math.max(0, ...some.map(({ write }) => write.at + write.bytes.byteLength));
  const whole = new Uint8Array(lengthOf(writes));
  for (const { write } of writes) whole.set(write.bytes, write.at);
  const durable = lengthOf(writes.filter(({ synced }) => synced));
  const how = chance.one(BYTES);
  if (how === 'all') return whole;
  if (how === 'none') return whole.slice(0, durable);
  if (how === 'first') return whole.slice(0, durable + chance.below(whole.byteLength - durable + 1));
  for (let at = durable; at < whole.byteLength; at += SECTOR_BYTES) {
    if (how === 'holes' && chance.next() < 0.5) continue;
    whole.subarray(at, at + SECTOR_BYTES).fill(how === 'garbage' ? 1 + chance.below(255) : 0);
  }
  return whole;
}

/** The files and directories that can be reached, each with its path from the top, directories before what is in them. */
export function* reachable(
  left: ReadonlyMap<number, Left>,
  inode: number,
  path = '',
): Generator<[string, Left]> {
  const here = left.get(inode) ?? new Uint8Array(0);
  if (path !== '') yield [path, here];
  if (here instanceof Uint8Array) return;
  for (const [name, inner] of here) yield* reachable(left, inner, path === '' ? name : `${path}/${name}`);
}
