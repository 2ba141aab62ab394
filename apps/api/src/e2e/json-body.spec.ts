import { isNonceError } from '@noncekit/nonce-core';
import { parseJsonBody } from '../http/json-body';

function problemsOf(text: string): readonly string[] {
  try {
    parseJsonBody(text);
    return [];
  } catch (error) {
    if (!isNonceError(error, 'NONCE_VALIDATION')) throw error;
    return error.errors.map((problem) => problem.pointer);
  }
}

describe('parseJsonBody', () => {
  it('takes an object as it is, and nothing as an empty one', () => {
    expect(parseJsonBody('{"count": 2, "metadata": {"fee": 1.5, "big": 1e3}}')).toEqual({
      count: 2,
      metadata: { fee: 1.5, big: 1000 },
    });
    expect(parseJsonBody('  ')).toEqual({});
  });

  it.each([
    ['{"count":1e3}', '/count'],
    ['{"a":"1e3","count":1.0}', '/count'],
    ['{"metadata":{"x":[1e3]},"ttlMs":-0}', '/ttlMs'],
    ['{"a\\"b":1E2}', '/a"b'],
    ['{"note":"a\\u0000b"}', '/note'],
    ['{"metadata":{"deep":["\\ud800"]}}', '/metadata/deep/0'],
    ['{"metadata":{"a\\u0000":1}}', '/metadata'],
    ['{"metadata":{"__proto__":{"x":1}}}', '/metadata'],
    ['[]', ''],
    ['null', ''],
    ['"text"', ''],
    ['{"count":', ''],
    ['{"count":01}', ''],
  ])('refuses %s and points at "%s"', (text, pointer) => {
    expect(problemsOf(text)).toEqual([pointer]);
  });

  it('refuses nesting that no store and no walker should have to bear', () => {
    const depth = 20_000;
    const text = `{"metadata":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(problemsOf(text)).toHaveLength(1);
  });
});
