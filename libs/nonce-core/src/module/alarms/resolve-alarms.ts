import { OPTION_DEFAULTS } from '../option-defaults';
import type { OptionProblems } from '../option-problems';
import type { NonceModuleOptions, ResolvedNonceOptions } from '../options';

const SECOND_MS = 1_000;
const WEEK_MS = 604_800_000;
const MAX_NONCES = 1_000_000;

/** When people are told, complete and checked. */
export function resolveAlarms(
  given: NonceModuleOptions['alarms'],
  problems: OptionProblems,
): ResolvedNonceOptions['alarms'] {
  const alarms = { ...OPTION_DEFAULTS.alarms, ...given };
  for (const name of ['reservedAgeMs', 'alignmentAgeMs', 'redisDownMs'] as const) {
    problems.integer(`/alarms/${name}`, alarms[name], [SECOND_MS, WEEK_MS]);
  }
  for (const name of ['recyclableGrowth', 'chainLag'] as const) {
    problems.integer(`/alarms/${name}`, alarms[name], [1, MAX_NONCES]);
  }
  const { webhookUrl: url, webhookSecret: secret = null } = given ?? {};
  if (url !== undefined && !isHttp(url)) {
    problems.add('/alarms/webhookUrl', 'must be an http or https URL');
  }
  return {
    thresholds: {
      'reserved-age': alarms.reservedAgeMs,
      'recyclable-growth': alarms.recyclableGrowth,
      'chain-lag': alarms.chainLag,
      alignment: alarms.alignmentAgeMs,
      degraded: alarms.redisDownMs,
    },
    webhook: url === undefined ? null : { url, secret },
  };
}

function isHttp(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}
