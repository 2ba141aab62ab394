import { validateSync } from 'class-validator';
import { NonceError, type FieldProblem } from '../../domain/errors/nonce-error';
import { knownChain } from '../../domain/known-chains';
import { ChainEnvironment } from './chain-environment';
import { closestName } from './closest-name';
import type { NonceEnvironment } from './nonce-environment';
import { namesOf, readSetting, type EnvironmentSource } from './read-setting';
import { settingsOf, type EnvironmentClass } from './setting';

/** One environment serves both apps; these names are read by one of them only. */
const NAMES_OF_ONE_APP = [
  'NONCE_AUTH_MODE',
  'NONCE_API_KEYS_FILE',
  'NONCE_BURN_KEYS_FILE',
  'NONCE_BURN_MAX_FEE_GWEI',
  'NONCE_SIGNER_KEYS_FILE',
  'NONCE_SIGNER_MAX_FEE_GWEI',
];

const CHAIN_NAME = /^NONCE_CHAIN_[0-9]+_/;

function chainPrefix(chainId: number): string {
  return `NONCE_CHAIN_${chainId}_`;
}

/**
 * Reads, validates and freezes an environment; warns of `NONCE_*` names that nothing reads.
 * @throws NonceError `NONCE_CONFIG_INVALID` with every problem in `errors`, none with a value.
 */
export function loadEnvironment<Environment extends NonceEnvironment>(
  environmentClass: EnvironmentClass<Environment>,
  source: EnvironmentSource,
  warn: (message: string) => void = (message) => process.emitWarning(message, 'NonceConfiguration'),
): Environment {
  const problems: FieldProblem[] = [];
  const environment = fill({ target: new environmentClass(), source, prefix: '', problems });
  const chainIds = environment.chainIds.filter((id) => Number.isSafeInteger(id) && id > 0);
  environment.chains = chainIds.map((chainId) => {
    const chain = Object.assign(new ChainEnvironment(), knownChain(chainId), { chainId });
    return fill({ target: chain, source, prefix: chainPrefix(chainId), problems });
  });
  // A cross-check judges well-formed fields only; beside malformed ones it would only add noise.
  if (problems.length === 0) problems.push(...environment.crossCheck());
  if (problems.length > 0) throw new NonceError('NONCE_CONFIG_INVALID', { errors: problems });
  for (const message of unknownNames(environmentClass, source, chainIds)) warn(message);
  return Object.freeze(environment);
}

interface Fill<Target extends object> {
  readonly target: Target;
  readonly source: EnvironmentSource;
  readonly prefix: string;
  readonly problems: FieldProblem[];
}

/** Sets what the source gives and collects what is wrong with the whole. */
function fill<Target extends object>({ target, source, prefix, problems }: Fill<Target>): Target {
  const settings = settingsOf(target.constructor as EnvironmentClass<object>);
  const nameOf = new Map(settings.map((setting) => [setting.property, prefix + setting.name]));
  const unread = new Set<string>();
  for (const setting of settings) {
    const reading = readSetting(source, setting, prefix);
    if (reading.kind === 'value') Reflect.set(target, setting.property, reading.value);
    if (reading.kind === 'problem') {
      problems.push(reading.problem);
      unread.add(setting.property);
    }
  }
  for (const error of validateSync(target, { forbidUnknownValues: false })) {
    if (unread.has(error.property)) continue;
    const name = nameOf.get(error.property) ?? error.property;
    for (const detail of Object.values(error.constraints ?? {})) {
      problems.push({ pointer: `/${name}`, detail: detail.replace(error.property, 'value') });
    }
  }
  return target;
}

function* unknownNames(
  environmentClass: EnvironmentClass<NonceEnvironment>,
  source: EnvironmentSource,
  chainIds: readonly number[],
): Generator<string> {
  const own = settingsOf(environmentClass).flatMap((setting) => namesOf(setting));
  const known = new Set([...own, ...NAMES_OF_ONE_APP]);
  for (const chainId of chainIds) {
    for (const setting of settingsOf(ChainEnvironment)) {
      for (const name of namesOf(setting, chainPrefix(chainId))) known.add(name);
    }
  }
  for (const name of Object.keys(source)) {
    if (!name.startsWith('NONCE_') || known.has(name)) continue;
    const closest = closestName(name, known);
    const listed = CHAIN_NAME.test(name) ? ' Is its chain listed in NONCE_CHAINS?' : '';
    const hint = closest === null ? listed : ` Did you mean ${closest}?`;
    yield `${name} is not a setting of this program and has no effect.${hint}`;
  }
}
