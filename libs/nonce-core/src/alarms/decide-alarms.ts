import type { AlarmDecision, AlarmFigure, AlarmThresholds, OpenAlarm } from '../domain/alarm';

/** An alarm is cleared below this part of its threshold. */
const CLEAR_PART = 0.8;
/** Of one kind: whoever has more has one problem, and knows it from these. */
const OPEN_PER_KIND_MAX = 20;

const keyOf = ({ kind, subject }: Pick<OpenAlarm, 'kind' | 'subject'>) => `${kind} ${subject}`;

/**
 * Which alarms begin and end, given what is open. Figures come worst first; one that is not there is
 * zero. Of a kind at most twenty are open at a time.
 */
export function decideAlarms(
  figures: readonly AlarmFigure[],
  open: readonly OpenAlarm[],
  thresholds: AlarmThresholds,
): AlarmDecision {
  const values = new Map(figures.map((figure) => [keyOf(figure), figure.value]));
  const ended = (alarm: OpenAlarm) =>
    (values.get(keyOf(alarm)) ?? 0) < alarm.threshold * CLEAR_PART;
  const known = new Set(open.map(keyOf));
  const perKind = new Map<string, number>();
  for (const { kind } of open.filter((alarm) => !ended(alarm))) {
    perKind.set(kind, (perKind.get(kind) ?? 0) + 1);
  }
  const raise = figures.filter((figure) => {
    const { kind, value } = figure;
    const count = perKind.get(kind) ?? 0;
    if (value < thresholds[kind] || known.has(keyOf(figure)) || count >= OPEN_PER_KIND_MAX) {
      return false;
    }
    perKind.set(kind, count + 1);
    return true;
  });
  return {
    raise: raise.map((figure) => ({ ...figure, threshold: thresholds[figure.kind] })),
    clear: open.filter(ended).map(({ id }) => id),
  };
}
