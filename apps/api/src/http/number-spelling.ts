import type { FieldProblem } from '@noncekit/nonce-core';

/** Strings, numbers and structure of a JSON text that is already known to be valid. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[{}[\],:]/g;
const PLAIN_INTEGER = /^(?:0|-?[1-9]\d*)$/;

/**
 * Every number the API takes is an integer in a field of the body itself. `1e3`, `1.0` and `-0`
 * parse to integers, but a sender that spells a nonce like that computed it in floating point, so
 * the spelling itself is refused. Numbers inside `metadata` belong to the caller and are free.
 */
export function numberSpellingProblems(text: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  let depth = 0;
  let field = '';
  let isName = true;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (depth !== 1) continue;
    else if (token === ',') isName = true;
    else if (token === ':') isName = false;
    else if (isName) field = JSON.parse(token) as string;
    else if (!token.startsWith('"') && !PLAIN_INTEGER.test(token)) {
      problems.push({ pointer: `/${field}`, detail: 'must be written as a plain integer' });
    }
  }
  return problems;
}
