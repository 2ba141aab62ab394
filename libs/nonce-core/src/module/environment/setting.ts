/** How the text of one variable becomes a value. */
export type SettingKind = 'text' | 'integer' | 'boolean' | 'text-list' | 'integer-list';

/** One environment variable, as data: the loader, the validator and the docs read the same record. */
export interface SettingSpec {
  /** Full name, or the part after `NONCE_CHAIN_<id>_` for settings of one chain. */
  readonly name: string;
  readonly kind: SettingKind;
  /** Why somebody would change it, in one line. */
  readonly reason: string;
  /** Unit of the number, `ms` for example. */
  readonly unit?: string;
  /** Also read from the file named by `<name>_FILE`; never printed. */
  readonly secret?: boolean;
  /** Older or shorter names, read when `name` is absent. */
  readonly aliases?: readonly string[];
}

export interface Setting extends SettingSpec {
  readonly property: string;
}

/** Constructors of environment classes take no arguments; their field initialisers are defaults. */
export type EnvironmentClass<Environment extends object> = new () => Environment;

const SETTINGS = new WeakMap<object, Setting[]>();

/** Binds a property to an environment variable. */
export function FromEnvironment(spec: SettingSpec): PropertyDecorator {
  return (prototype, property) => {
    const own = SETTINGS.get(prototype) ?? [];
    own.push({ ...spec, property: String(property) });
    SETTINGS.set(prototype, own);
  };
}

/** Settings of a class and of the classes it extends, base class first. */
export function settingsOf(environmentClass: EnvironmentClass<object>): readonly Setting[] {
  const chain: Setting[][] = [];
  let prototype = environmentClass.prototype as object | null;
  while (prototype !== null) {
    chain.unshift(SETTINGS.get(prototype) ?? []);
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return chain.flat();
}
