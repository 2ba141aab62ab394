import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseCompose, type ComposeFile, type ComposeService } from './compose-file';
import { effective, execForm, stagesOf, type Stage } from './dockerfile';
import type { Finding } from './finding';
import type { KnownNames } from './known-names';

const SERVICE_KEYS = new Set([
  ...['image', 'build', 'command', 'environment', 'env_file', 'secrets', 'volumes', 'ports'],
  ...['depends_on', 'healthcheck', 'stop_grace_period', 'restart', 'profiles', 'read_only'],
]);
const SECRETS_FOLDER = '/run/secrets/';

interface Workspace {
  readonly root: string;
  /** Folder of the compose file, relative to the root. */
  readonly folder: string;
  readonly knows: KnownNames;
  readonly compose: ComposeFile;
}

/** What compose would refuse, and what it would start but not as meant. */
export function checkCompose(root: string, file: string, knows: KnownNames): readonly Finding[] {
  const compose = parseCompose(readFileSync(join(root, file), 'utf8'));
  const workspace = { root, folder: posix.dirname(file), knows, compose };
  const messages = [
    ...compose.problems,
    ...compose.services.flatMap((service) =>
      [
        ...checkShape(service),
        ...checkBuild(workspace, service),
        ...checkMounts(workspace, service),
        ...checkDependencies(workspace, service),
        ...checkEnvironment(workspace, service),
      ].map((message) => `${service.name}: ${message}`),
    ),
    ...checkUnused(compose),
    ...checkRedis(compose, readFileSync(join(root, file), 'utf8')),
  ];
  return messages.map((message) => ({ file, message }));
}

function checkShape(service: ComposeService): string[] {
  const messages = service.keys
    .filter((key) => !SERVICE_KEYS.has(key))
    .map((key) => `unknown key ${key}`);
  if (service.image === null && service.build === null) messages.push('neither image nor build');
  if (service.image !== null && !/:(?!latest$)[\w.-]+$/.test(service.image)) {
    messages.push(`image ${service.image} names no version`);
  }
  return messages;
}

function checkBuild({ root, folder }: Workspace, service: ComposeService): string[] {
  if (service.build === null) return [];
  const dockerfile = dockerfileOf(folder, service);
  if (!existsSync(join(root, dockerfile))) return [`there is no ${dockerfile}`];
  const { stages, stage } = builtStage(root, dockerfile, service);
  if (stage === undefined) return [`${dockerfile} has no stage ${service.build.target ?? ''}`];
  const exposed = effective(stages, stage, 'EXPOSE') ?? [];
  return service.ports
    .map((port) => port.split(':').at(-1) ?? '')
    .filter((port) => !exposed.includes(port))
    .map((port) => `publishes ${port}, which the image does not expose`);
}

function checkMounts({ root, folder, compose }: Workspace, service: ComposeService): string[] {
  const sources = service.volumes.map((volume) => volume.split(':')[0] ?? '');
  const files = [...sources.filter((source) => source.startsWith('.')), ...service.envFiles];
  return [
    ...files
      .filter((path) => !existsSync(join(root, folder, path)))
      .map((path) => `there is no ${path}`),
    ...sources
      .filter((source) => !/^[./]/.test(source) && !compose.volumes.includes(source))
      .map((source) => `volume ${source} is not declared`),
    ...service.secrets
      .filter((secret) => !compose.secrets.has(secret))
      .map((secret) => `secret ${secret} is not declared`),
  ];
}

function checkDependencies(workspace: Workspace, service: ComposeService): string[] {
  return [...service.dependsOn].flatMap(([name, condition]) => {
    const other = workspace.compose.services.find((one) => one.name === name);
    if (other === undefined) return [`depends on ${name}, which is no service`];
    const healthy = condition !== 'service_healthy' || hasHealthcheck(workspace, other);
    return healthy ? [] : [`waits for the health of ${name}, which has no healthcheck`];
  });
}

function checkEnvironment(workspace: Workspace, service: ComposeService): string[] {
  const mounted = [...service.environment]
    .filter(([, value]) => value.startsWith(SECRETS_FOLDER))
    .filter(([, value]) => !service.secrets.includes(value.slice(SECRETS_FOLDER.length)))
    .map(([name, value]) => `${name} names ${value}, which is not mounted`);
  if (service.build === null) return mounted;
  const program = programOf(workspace, service);
  const names = [...service.environment.keys(), ...namesInFiles(workspace, service)];
  const unread = names.filter((name) => !workspace.knows(program, name));
  return [...mounted, ...unread.map((name) => `${program} does not read ${name}`)];
}

function checkUnused(compose: ComposeFile): string[] {
  const mounted = new Set(compose.services.flatMap((service) => service.secrets));
  const volumes = new Set(
    compose.services.flatMap((service) => service.volumes.map((volume) => volume.split(':')[0])),
  );
  return [
    ...[...compose.secrets.keys()]
      .filter((name) => !mounted.has(name))
      .map((name) => `secret ${name} is mounted nowhere`),
    ...compose.volumes
      .filter((name) => !volumes.has(name))
      .map((name) => `volume ${name} is mounted nowhere`),
  ];
}

/** Keys that vanish would cost an epoch, so a Redis that may evict or forget is refused. */
function checkRedis(compose: ComposeFile, text: string): string[] {
  if (!compose.services.some((service) => service.image?.startsWith('redis:') === true)) return [];
  const needed = ['noeviction', '--appendonly'];
  return needed.filter((word) => !text.includes(word)).map((word) => `redis runs without ${word}`);
}

function hasHealthcheck({ root, folder }: Workspace, service: ComposeService): boolean {
  if (service.hasHealthcheck || service.build === null) return service.hasHealthcheck;
  const { stages, stage } = builtStage(root, dockerfileOf(folder, service), service);
  return stage !== undefined && effective(stages, stage, 'HEALTHCHECK') !== null;
}

function programOf({ root, folder }: Workspace, service: ComposeService): string {
  const { stages, stage } = builtStage(root, dockerfileOf(folder, service), service);
  const command = stage === undefined ? null : effective(stages, stage, 'CMD');
  return execForm(command ?? [])?.find((word) => word.endsWith('.js')) ?? 'nothing';
}

function builtStage(
  root: string,
  dockerfile: string,
  service: ComposeService,
): { stages: readonly Stage[]; stage: Stage | undefined } {
  const path = join(root, dockerfile);
  const stages = existsSync(path) ? stagesOf(readFileSync(path, 'utf8')) : [];
  const target = service.build?.target ?? null;
  const stage = target === null ? stages.at(-1) : stages.find((one) => one.name === target);
  return { stages, stage };
}

function dockerfileOf(folder: string, service: ComposeService): string {
  return posix.join(folder, service.build?.context ?? '.', service.build?.dockerfile ?? '');
}

function namesInFiles({ root, folder }: Workspace, service: ComposeService): string[] {
  return service.envFiles
    .map((path) => join(root, folder, path))
    .filter((path) => existsSync(path))
    .flatMap((path) => readFileSync(path, 'utf8').split('\n'))
    .flatMap((line) => /^(?:# )?([A-Z][A-Z0-9_]*)=/.exec(line)?.[1] ?? []);
}
