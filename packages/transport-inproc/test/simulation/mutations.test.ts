import { describe, expect, it } from 'vitest';
import { MUTATIONS, outdated } from './mutations.js';

describe('the mutations of core', () => {
  it('each change a text that stands in its built files exactly once', () => {
    expect(outdated(MUTATIONS)).toEqual([]);
  });

  it('are told to be outdated when their text does not stand there', () => {
    const [first] = MUTATIONS;
    const moved = { ...first!, text: 'a text that core never had' };
    const away = { ...first!, file: 'service/no-such-file.js' };
    expect(outdated([first!, moved, away])).toEqual([moved, away]);
  });
});
