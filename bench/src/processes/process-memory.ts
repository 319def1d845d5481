import { readFile, writeFile } from 'node:fs/promises';

/** Resident memory of a process, in MiB. */
export interface Memory {
  readonly now: number;
  /** Most since {@link resetPeak}. */
  readonly peak: number;
}

/** Forgets the peak of a process's resident memory. Linux only. */
export async function resetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

/** Reads the resident memory of a process. Linux only. */
export async function memoryOf(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}
