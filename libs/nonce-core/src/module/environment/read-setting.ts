import { readFileSync } from 'node:fs';
import type { FieldProblem } from '../../domain/errors/nonce-error';
import type { Setting } from './setting';

export type EnvironmentSource = Readonly<Record<string, string | undefined>>;

export type SettingReading =
  | { readonly kind: 'absent' }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'problem'; readonly problem: FieldProblem };

/** Every name under which a setting may be given. */
export function namesOf(setting: Setting, prefix = ''): readonly string[] {
  const names = [setting.name, ...(setting.aliases ?? [])].map((name) => `${prefix}${name}`);
  return setting.secret === true ? names.flatMap((name) => [name, `${name}_FILE`]) : names;
}

/** Empty text counts as absent, because compose files and charts cannot leave a variable out. */
export function readSetting(
  source: EnvironmentSource,
  setting: Setting,
  prefix = '',
): SettingReading {
  for (const name of namesOf(setting, prefix)) {
    const text = source[name]?.trim() ?? '';
    if (text === '') continue;
    const fromFile = name.endsWith('_FILE') && !setting.name.endsWith('_FILE');
    return fromFile
      ? readSecretFile(name, text, setting)
      : { kind: 'value', value: parseSetting(text, setting) };
  }
  return { kind: 'absent' };
}

function readSecretFile(name: string, path: string, setting: Setting): SettingReading {
  try {
    return { kind: 'value', value: parseSetting(readFileSync(path, 'utf8').trim(), setting) };
  } catch {
    const detail = `names a file that cannot be read: ${path}`;
    return { kind: 'problem', problem: { pointer: `/${name}`, detail } };
  }
}

/** Text that does not fit its kind stays text, so that the validator reports it. */
function parseSetting(text: string, setting: Setting): unknown {
  switch (setting.kind) {
    case 'text':
      return text;
    case 'integer':
      return parseInteger(text);
    case 'boolean':
      return parseBoolean(text);
    case 'text-list':
      return items(text);
    case 'integer-list':
      return items(text).map(parseInteger);
  }
}

function items(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '');
}

/** Plain decimal digits only: `1e3`, `0x10` and `1.5` are typing mistakes, not numbers. */
function parseInteger(text: string): number | string {
  return /^-?[0-9]{1,15}$/.test(text) ? Number(text) : text;
}

function parseBoolean(text: string): boolean | string {
  const lower = text.toLowerCase();
  if (lower === 'true' || lower === '1') return true;
  if (lower === 'false' || lower === '0') return false;
  return text;
}
