import type { EngineEvent } from '@routine-engine/core';
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import { type ExpectedRuns, noticeText, plainLine, treeText } from './progress-text.js';
import { NO_PROGRESS, type ProgressState } from './progress-view.js';

/** Shows progress to a person while a sweep runs. */
export interface ProgressDisplay {
  /** @param state - after the event. */
  show(event: EngineEvent, state: ProgressState): void;
  /** Writes a line that stays. */
  note(text: string): void;
  /** Shows the last state and lets go of the terminal. */
  close(): void;
}

/** Fast enough to look alive, slow enough to cost nothing. */
const FRAME_MS = 100;

/** A tree that is drawn again in place, for a terminal; anything notable is written above it and stays. */
export function liveTree(terminal: NodeJS.WriteStream, expected: ExpectedRuns): ProgressDisplay {
  const colors = pc.createColors(pc.isColorSupported);
  const update = createLogUpdate(terminal);
  let state = NO_PROGRESS;
  const draw = () => update(treeText(state, expected, Date.now(), colors));
  const frames = setInterval(draw, FRAME_MS);
  // A drawing must not keep the process alive.
  frames.unref();
  const note = (text: string) => {
    update.persist(colors.yellow(text));
    draw();
  };
  return {
    note,
    show(event, after) {
      state = after;
      const notice = noticeText(event);
      if (notice !== undefined) note(notice);
    },
    close() {
      clearInterval(frames);
      draw();
      update.done();
    },
  };
}

/** One line for each thing that happened, for files and pipes. */
export function plainLines(write: (text: string) => void, expected: ExpectedRuns): ProgressDisplay {
  const note = (text: string) => write(`${text}\n`);
  return {
    note,
    show(event, state) {
      const line = plainLine(event, state, expected);
      if (line !== undefined) note(line);
    },
    close() {},
  };
}
