import { decideAlarms } from '../../src/alarms/decide-alarms';
import type { AlarmFigure, AlarmThresholds } from '../../src/domain/alarm';

const THRESHOLDS: AlarmThresholds = {
  'reserved-age': 100,
  'recyclable-growth': 10,
  'chain-lag': 50,
  alignment: 1_000,
  degraded: 30,
};
const figure = (value: number, subject = 'a'): AlarmFigure => ({
  kind: 'chain-lag',
  subject,
  value,
});
const OPEN = { id: 7, kind: 'chain-lag', subject: 'a', threshold: 50 } as const;

it.each([
  ['below the threshold', 49, false, [], []],
  ['at the threshold', 50, false, [50], []],
  ['an open one that stays', 50, true, [], []],
  ['an open one a little below', 40, true, [], []],
  ['an open one well below', 39, true, [], [7]],
])('%s', (_, value, open, raised, cleared) => {
  const decision = decideAlarms([figure(value)], open ? [OPEN] : [], THRESHOLDS);
  expect(decision.raise.map((alarm) => alarm.value)).toEqual(raised);
  expect(decision.clear).toEqual(cleared);
});

it('clears what is measured no more, and keeps kinds and subjects apart', () => {
  const others: readonly AlarmFigure[] = [
    figure(80, 'b'),
    { kind: 'reserved-age', subject: 'a', value: 100 },
  ];
  const decision = decideAlarms(others, [OPEN], THRESHOLDS);
  expect(decision.clear).toEqual([7]);
  expect(decision.raise).toEqual([
    { ...figure(80, 'b'), threshold: 50 },
    { kind: 'reserved-age', subject: 'a', value: 100, threshold: 100 },
  ]);
});

it('judges an open alarm by the threshold at which it was raised', () => {
  expect(decideAlarms([figure(30)], [{ ...OPEN, threshold: 30 }], THRESHOLDS).clear).toEqual([]);
});

it('calls for the worst twenty of a kind only, however many there are', () => {
  const many = Array.from({ length: 100 }, (_, index) => figure(200 - index, `s${String(index)}`));
  const first = decideAlarms(many, [], THRESHOLDS);
  expect(first.raise.map(({ subject }) => subject)).toEqual(
    many.slice(0, 20).map(({ subject }) => subject),
  );
  const open = first.raise.map(({ kind, subject, threshold }, id) => ({
    ...{ id, kind, subject, threshold },
  }));
  expect(decideAlarms(many, open, THRESHOLDS)).toEqual({ raise: [], clear: [] });
});
