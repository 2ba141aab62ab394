import { INCLUDE_LINE } from './include-line';
import type { SourceFile } from './source-file';

/**
 * A script with the text of each fragment it names in a line `--#include name.lua`. Redis runs one
 * text per call, so what several scripts share has to stand in each of them.
 * @throws Error that names the script when it names a fragment that is not there.
 */
export function withFragments(script: SourceFile, fragments: readonly SourceFile[]): SourceFile {
  const text = script.text.replace(INCLUDE_LINE, (_, name: string) => {
    const fragment = fragments.find((candidate) => candidate.name === name);
    if (fragment === undefined) throw new Error(`${script.name}: no fragment is named ${name}`);
    return fragment.text;
  });
  return { ...script, text };
}
