import { ChainEnvironment } from './chain-environment';
import type { NonceEnvironment } from './nonce-environment';
import { settingsOf, type EnvironmentClass, type Setting } from './setting';

/** One row of the configuration reference. */
export interface EnvironmentReferenceRow {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly kind: Setting['kind'];
  readonly unit: string | null;
  /** As it would be written; null when there is none. */
  readonly default: string | null;
  readonly secret: boolean;
  readonly reason: string;
}

/** Every variable of an environment class, then those of one chain; the docs are made from it. */
export function environmentReference(
  environmentClass: EnvironmentClass<NonceEnvironment>,
): readonly EnvironmentReferenceRow[] {
  return [...rows(environmentClass, ''), ...rows(ChainEnvironment, 'NONCE_CHAIN_<id>_')];
}

function rows(
  environmentClass: EnvironmentClass<object>,
  prefix: string,
): EnvironmentReferenceRow[] {
  const defaults = new environmentClass();
  return settingsOf(environmentClass).map((setting) => ({
    name: prefix + setting.name,
    aliases: setting.aliases ?? [],
    kind: setting.kind,
    unit: setting.unit ?? null,
    default: defaultText(Reflect.get(defaults, setting.property)),
    secret: setting.secret === true,
    reason: setting.reason,
  }));
}

function defaultText(value: unknown): string | null {
  if (Array.isArray(value)) return defaultText(value.join(','));
  const written = ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
  return written === '' ? null : written;
}
