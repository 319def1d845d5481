import type { WriteStream } from 'node:tty';
import type { EngineEvent } from '@routine-engine/core';
import { createLogUpdate } from 'log-update';
import type { Observable } from 'rxjs';
import { noteOf, progressText } from './progress-text.js';
import { RunCounts } from './run-counts.js';

/** Fast enough to look alive, slow enough to cost nothing. */
const FRAME_MS = 100;

/**
 * Shows what happens, on standard error: on a terminal what all runs do, drawn again in place; elsewhere only notes.
 * @returns what ends it, and leaves no drawing.
 */
export function showProgress(events$: Observable<EngineEvent>, stream: WriteStream): () => void {
  return stream.isTTY ? liveProgress(events$, stream) : notes(events$, (text) => stream.write(`${text}\n`));
}

function notes(events$: Observable<EngineEvent>, write: (text: string) => void): () => void {
  const subscription = events$.subscribe((event) => {
    const note = noteOf(event);
    if (note !== undefined) write(note);
  });
  return () => subscription.unsubscribe();
}

function liveProgress(events$: Observable<EngineEvent>, stream: WriteStream): () => void {
  const counts = new RunCounts();
  const update = createLogUpdate(stream);
  const since = performance.now();
  const draw = (): void => update(progressText(counts.routines, performance.now() - since));
  const counting = events$.subscribe((event) => counts.take(event));
  const stopNotes = notes(events$, (text) => update.persist(text));
  const frames = setInterval(draw, FRAME_MS);
  return () => {
    clearInterval(frames);
    counting.unsubscribe();
    stopNotes();
    update.clear();
    update.done();
  };
}
