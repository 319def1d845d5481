import { beforeAll, describe, expect, it } from 'vitest';
import { buildCorpus, type Corpus, duplicateKey, type RawMail, readMails } from '../src/corpus.js';
import { complete } from '../src/steps.js';

const ALL = { every: 1, maxMailBytes: 1024 };
const text = (corpus: Corpus, mail: number) =>
  Buffer.from(corpus.text.subarray(corpus.textStarts[mail], corpus.textStarts[mail + 1])).toString();

describe('a corpus', () => {
  const mails: RawMail[] = [
    { group: 'easy-ham-1', text: 'Subject: a\n\nHello, call 555-1234 now.' },
    { group: 'spam-1', text: 'Subject: b\n\nBuy it!' },
    { group: 'hard-ham-1', text: 'Subject: c\n\nhello call\n  555-9876 NOW' },
    { group: 'spam-2', text: 'Subject: d\n\nBuy that!' },
  ];

  it('labels spam by its group and keeps the text without headers', () => {
    const corpus = complete(buildCorpus(mails, ALL));
    expect([...corpus.labels]).toEqual([0, 1, 0, 1]);
    expect(text(corpus, 1)).toBe('Buy it!');
    expect(text(corpus, 3)).toBe('Buy that!');
  });

  it('numbers copies alike, whatever their digits, case, punctuation and white space', () => {
    expect([...complete(buildCorpus(mails, ALL)).groups]).toEqual([0, 1, 0, 2]);
    expect(duplicateKey('Hi <b>You</b>, 12 times!')).toBe('hibyoubtimes');
  });

  it('takes every n-th mail, and at most so many bytes of each', () => {
    const corpus = complete(buildCorpus(mails, { every: 3, maxMailBytes: 5 }));
    expect(corpus.labels).toHaveLength(2);
    expect(text(corpus, 0)).toBe('Hello');
    expect(text(corpus, 1)).toBe('Buy t');
  });
});

describe('the data set', () => {
  let mails: readonly RawMail[];
  let corpus: Corpus;
  beforeAll(async () => {
    mails = await readMails();
    corpus = complete(buildCorpus(mails, ALL));
  });

  it('has 6,046 mails, 1,896 of them spam', () => {
    expect(corpus.labels).toHaveLength(6046);
    expect(corpus.labels.reduce((sum, label) => sum + label, 0)).toBe(1896);
  });

  it('has 592 mails that are copies of another', () => {
    expect(6046 - new Set(corpus.groups).size).toBe(592);
  });

  it('has no mail whose text holds its own header', () => {
    for (const [index, mail] of mails.entries()) {
      const firstHeader = mail.text.slice(0, mail.text.indexOf('\n'));
      expect(firstHeader.length).toBeGreaterThan(5);
      expect(text(corpus, index).includes(firstHeader)).toBe(false);
    }
  });
});
