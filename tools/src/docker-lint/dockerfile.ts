import { DockerfileParser, type Copy, type From, type Instruction } from 'dockerfile-ast';

/** One `FROM … AS …` with everything up to the next one. */
export interface Stage {
  readonly from: From;
  readonly name: string | null;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile, in order. */
export function stagesOf(text: string): readonly Stage[] {
  const stages: { from: From; name: string | null; instructions: Instruction[] }[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    if (isFrom(instruction)) {
      stages.push({ from: instruction, name: instruction.getBuildStage(), instructions: [] });
    } else {
      stages.at(-1)?.instructions.push(instruction);
    }
  }
  return stages;
}

/** The words after the last instruction of this kind, through the stages it is built on. */
export function effective(
  stages: readonly Stage[],
  stage: Stage,
  keyword: string,
): readonly string[] | null {
  const own = stage.instructions.filter((one) => one.getKeyword() === keyword).at(-1);
  if (own !== undefined) return own.getArguments().map((argument) => argument.getValue());
  const parent = stages.find((one) => one.name === stage.from.getImage());
  return parent === undefined || parent === stage ? null : effective(stages, parent, keyword);
}

/** The words of an exec form such as `["node", "main.js"]`; null for a shell form. */
export function execForm(words: readonly string[]): readonly string[] | null {
  const text = words.join(' ').replace(/^CMD\s+/, '');
  const start = text.indexOf('[');
  if (start === -1) return null;
  try {
    const parsed: unknown = JSON.parse(text.slice(start));
    const isText = (word: unknown): word is string => typeof word === 'string';
    return Array.isArray(parsed) && parsed.every(isText) ? parsed : null;
  } catch {
    return null;
  }
}

export function copiesOf(stage: Stage): readonly Copy[] {
  return stage.instructions.filter((one): one is Copy => one.getKeyword() === 'COPY');
}

function isFrom(instruction: Instruction): instruction is From {
  return instruction.getKeyword() === 'FROM';
}
