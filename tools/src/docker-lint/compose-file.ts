import { parseDocument } from 'yaml';

type Mapping = Readonly<Record<string, unknown>>;

export interface ComposeService {
  readonly name: string;
  readonly keys: readonly string[];
  readonly image: string | null;
  readonly build: { context: string; dockerfile: string; target: string | null } | null;
  readonly environment: ReadonlyMap<string, string>;
  readonly envFiles: readonly string[];
  readonly secrets: readonly string[];
  readonly volumes: readonly string[];
  readonly ports: readonly string[];
  readonly dependsOn: ReadonlyMap<string, string>;
  readonly hasHealthcheck: boolean;
}

export interface ComposeFile {
  readonly problems: readonly string[];
  readonly services: readonly ComposeService[];
  readonly volumes: readonly string[];
  /** Name of a secret → variable or file it comes from. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** Reads the parts of a compose file that this repository uses, in their long spelling. */
export function parseCompose(text: string): ComposeFile {
  const document = parseDocument(text, { uniqueKeys: true, merge: true });
  const problems = [...document.errors, ...document.warnings].map((error) => error.message);
  const root = mapping(problems.length > 0 ? {} : document.toJS());
  const secrets = Object.entries(mapping(root['secrets'])).map(([name, spec]) => {
    const source = mapping(spec);
    return [name, scalar(source['environment'] ?? source['file'])] as const;
  });
  return {
    problems,
    services: Object.entries(mapping(root['services'])).map(([name, spec]) => service(name, spec)),
    volumes: Object.keys(mapping(root['volumes'])),
    secrets: new Map(secrets),
  };
}

function service(name: string, spec: unknown): ComposeService {
  const fields = mapping(spec);
  const build = mapping(fields['build']);
  const environment = Object.entries(mapping(fields['environment']));
  const dependsOn = Object.entries(mapping(fields['depends_on']));
  return {
    name,
    keys: Object.keys(fields),
    image: textOrNull(fields['image']),
    build:
      fields['build'] === undefined
        ? null
        : {
            context: textOrNull(build['context']) ?? '.',
            dockerfile: textOrNull(build['dockerfile']) ?? 'Dockerfile',
            target: textOrNull(build['target']),
          },
    environment: new Map(environment.map(([key, value]) => [key, scalar(value)])),
    envFiles: texts(fields['env_file']),
    secrets: texts(fields['secrets']),
    volumes: texts(fields['volumes']),
    ports: texts(fields['ports']),
    dependsOn: new Map(dependsOn.map(([other, on]) => [other, scalar(mapping(on)['condition'])])),
    hasHealthcheck: fields['healthcheck'] !== undefined,
  };
}

function mapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null ? (value as Mapping) : {};
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(scalar) : [];
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
