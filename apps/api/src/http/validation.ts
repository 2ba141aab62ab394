import { ValidationPipe } from '@nestjs/common';
import { NonceError, type FieldProblem } from '@noncekit/nonce-core';
import type { ValidationError } from 'class-validator';

/**
 * Bodies and queries are what the DTO says and nothing else. No implicit conversion: "1" is not 1.
 */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) =>
      new NonceError('NONCE_VALIDATION', { errors: errors.flatMap((e) => problemsOf(e, '')) }),
  });
}

function problemsOf(error: ValidationError, parent: string): FieldProblem[] {
  const pointer = `${parent}/${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((detail) => ({ pointer, detail }));
  return [...own, ...(error.children ?? []).flatMap((child) => problemsOf(child, pointer))];
}
