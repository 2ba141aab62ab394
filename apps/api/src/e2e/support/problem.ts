import type { ErrorCode } from '@noncekit/nonce-core';
import { PROBLEM_MEDIA_TYPE } from '../../http/problem';
import type { Answer } from './api-fixture';

/** Asserts everything that all problems have in common, and which one it is. */
export function expectProblem(answer: Answer, code: ErrorCode, status: number): void {
  expect(answer.body).toMatchObject({
    type: expect.stringMatching(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/errors/${code}$`)),
    title: expect.any(String),
    status,
    detail: expect.any(String),
    code,
    retryable: expect.any(Boolean),
    fix: expect.any(String),
    context: expect.any(Object),
    requestId: answer.headers.get('x-request-id'),
    errors: expect.any(Array),
  });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe(PROBLEM_MEDIA_TYPE);
  expect(answer.headers.has('retry-after')).toBe(status === 503 || status === 429);
}
