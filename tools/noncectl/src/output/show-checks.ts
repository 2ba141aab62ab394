import type { Check } from '../http/answers';
import { columns } from './columns';
import type { Style } from './style';

/** One row per check, failed ones first; what asks for something is followed by what it asks for. */
export function checkLines(checks: readonly Check[], style: Style): readonly string[] {
  const inOrder = [...checks.filter(({ ok }) => !ok), ...checks.filter(({ ok }) => ok)];
  return columns(
    inOrder.flatMap(({ name, ok, detail, fix }) => {
      const row = [wordOf(ok, fix, style), name, detail];
      return fix === null ? [row] : [row, ['', '', `${style.strong('fix:')} ${fix}`]];
    }),
  );
}

function wordOf(ok: boolean, fix: string | null, style: Style): string {
  if (!ok) return style.bad('failed');
  return fix === null ? style.good('ok') : style.strong('warning');
}
