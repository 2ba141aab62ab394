import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { copiesOf, effective, execForm, stagesOf, type Stage } from './dockerfile';
import type { Finding } from './finding';

const ROOT_USERS = ['root', '0', '0:0', 'root:root'];
const WORKDIR = '/app/';

/** What would fail at build time, and what would run but should not. */
export function checkDockerfile(root: string, file: string, text: string): readonly Finding[] {
  const stages = stagesOf(text);
  const messages = [
    ...validate(text).map(({ message, range }) => {
      const words = typeof message === 'string' ? message : message.value;
      return `line ${range.start.line + 1}: ${words}`;
    }),
    ...stages.flatMap((stage, index) => [
      ...checkBase(stages.slice(0, index), stage),
      ...copiesOf(stage).flatMap((copy) => {
        const words = copy.getArguments().map((argument) => argument.getValue());
        const from = copy.getFromFlag()?.getValue() ?? null;
        return checkCopy(root, {
          sources: words.slice(0, -1),
          from,
          above: stages.slice(0, index),
        });
      }),
    ]),
    ...stages.filter((stage) => runs(stage)).flatMap((stage) => checkRun(root, stages, stage)),
    ...checkLastStage(stages),
  ];
  return messages.map((message) => ({ file, message }));
}

function runs(stage: Stage): boolean {
  return stage.instructions.some((one) => ['CMD', 'ENTRYPOINT'].includes(one.getKeyword()));
}

function checkBase(above: readonly Stage[], stage: Stage): string[] {
  const image = stage.from.getImage() ?? '';
  if (above.some((one) => one.name === image)) return [];
  const tag = stage.from.getImageTag();
  if (tag === null && stage.from.getImageDigest() === null) {
    return [`FROM ${image} is neither a stage above nor an image with a tag`];
  }
  return tag === 'latest' ? [`FROM ${image}: name a version, not latest`] : [];
}

interface CopiedPaths {
  readonly sources: readonly string[];
  readonly from: string | null;
  readonly above: readonly Stage[];
}

function checkCopy(root: string, { sources, from, above }: CopiedPaths): string[] {
  if (from !== null && !above.some((stage) => stage.name === from)) {
    return [`COPY --from=${from}: there is no such stage above`];
  }
  return sources
    .map((source) => (from === null ? source : repositoryPath(source)))
    .filter((path) => path !== '' && !existsSync(join(root, path)))
    .map((path) => `COPY ${path}: the repository has no such path`);
}

/** What an absolute path inside a build stage was made from; '' for the whole folder. */
function repositoryPath(source: string): string {
  return `${source}/`.startsWith(WORKDIR)
    ? source.slice(WORKDIR.length).replace(/\/dist$/, '')
    : '';
}

function checkRun(root: string, stages: readonly Stage[], stage: Stage): string[] {
  const label = `stage ${stage.name ?? 'without a name'}`;
  const user = effective(stages, stage, 'USER')?.[0] ?? 'root';
  const messages = ROOT_USERS.includes(user) ? [`${label} runs as root`] : [];
  const command = execForm(effective(stages, stage, 'CMD') ?? []);
  if (command === null) {
    return [
      ...messages,
      `${label}: write CMD as ["…"], or signals reach a shell and not the program`,
    ];
  }
  const program = command.find((word) => word.endsWith('.js')) ?? '';
  const source = program.replace('/dist/', '/src/').replace(/\.js$/, '.ts');
  if (!existsSync(join(root, source)))
    messages.push(`${label} starts ${program}, built from nothing`);
  return messages;
}

function checkLastStage(stages: readonly Stage[]): string[] {
  const last = stages.at(-1);
  if (last === undefined) return ['has no stage'];
  const messages: string[] = [];
  if (!runs(last)) messages.push('the last stage starts nothing');
  const probe = effective(stages, last, 'HEALTHCHECK')?.join(' ') ?? '';
  if (!probe.includes('/readyz')) messages.push('the last stage has no HEALTHCHECK of /readyz');
  if (effective(stages, last, 'STOPSIGNAL')?.[0] !== 'SIGTERM') {
    messages.push('the last stage does not state STOPSIGNAL SIGTERM');
  }
  return messages;
}
