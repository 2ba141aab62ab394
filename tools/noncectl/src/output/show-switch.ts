import type { DrainWait, ModeSwitch, Phase } from '../http/answers';
import { duration } from './duration';
import type { Style } from './style';

const NAME_WIDTH = 9;

export function headOf({ id, from, to, epoch }: ModeSwitch): string {
  return `switch ${id}: ${from} → ${to}, epoch ${epoch}`;
}

/** A switch with its phases, as far as they are. */
export function switchLines(one: ModeSwitch, style: Style): readonly string[] {
  return [
    style.strong(headOf(one)),
    ...one.phases.map((phase) => phaseLine(phase, style)),
    ...(one.waitsFor === null ? [] : [waitLine(one.waitsFor)]),
    endLine(one, style),
  ];
}

export function phaseLine({ phase, durationMs, note }: Phase, style: Style): string {
  const took = durationMs === null ? 'goes on' : duration(durationMs);
  const why = note === null ? '' : `  ${style.faint(note)}`;
  return `  ${phase.padEnd(NAME_WIDTH)}  ${took}${why}`;
}

export function waitLine({ events, grants, epochs, deadlineAt }: DrainWait): string {
  const waits = `${events} events, ${grants} grants, ${epochs} epochs`;
  return `  waits for ${waits}; the rest is parked at ${deadlineAt}`;
}

export function endLine({ state, startedAt, endedAt }: ModeSwitch, style: Style): string {
  if (state === 'running' || endedAt === null) return 'goes on';
  const took = duration(Date.parse(endedAt) - Date.parse(startedAt));
  return state === 'done' ? style.good(`done in ${took}`) : style.bad(`aborted after ${took}`);
}
