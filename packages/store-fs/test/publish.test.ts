import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { publish } from '../src/write-result.ts';
import { newDirectory } from './place.ts';

function newFiles(): { temporary: string; file: string } {
  const dir = newDirectory();
  const temporary = path.join(dir, 'new.tmp');
  fs.writeFileSync(temporary, 'new');
  return { temporary, file: path.join(dir, 'file') };
}
const fails = (code: string) => async (): Promise<never> => {
  throw Object.assign(new Error(code), { code });
};

describe('giving a written file its name', () => {
  it('never replaces a file that has the name', async () => {
    const { temporary, file } = newFiles();
    fs.writeFileSync(file, 'first');
    expect(await publish(temporary, file)).toBe('present');
    expect(fs.readFileSync(file, 'utf8')).toBe('first');
  });

  it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])(
    'works without links (%s)',
    async (code) => {
      const { temporary, file } = newFiles();
      expect(await publish(temporary, file, fails(code))).toBe('stored');
      expect(fs.readFileSync(file, 'utf8')).toBe('new');
      fs.writeFileSync(temporary, 'second');
      expect(await publish(temporary, file, fails(code))).toBe('present');
      expect(fs.readFileSync(file, 'utf8')).toBe('new');
    },
  );

  it('counts a link as made when only the answer was lost', async () => {
    const { temporary, file } = newFiles();
    const answerLost = async (from: fs.PathLike, to: fs.PathLike): Promise<void> => {
      fs.linkSync(from, to);
      await fails('EEXIST')();
    };
    expect(await publish(temporary, file, answerLost)).toBe('stored');
  });

  it('passes on any other failure', async () => {
    const { temporary, file } = newFiles();
    await expect(publish(temporary, file, fails('EIO'))).rejects.toThrow('EIO');
    expect(fs.existsSync(file)).toBe(false);
  });
});
