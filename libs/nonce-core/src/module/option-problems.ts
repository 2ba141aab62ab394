import { NonceError, type FieldProblem } from '../domain/errors/nonce-error';

/** Collects what is wrong with options, so that all of it is reported at once. */
export class OptionProblems {
  private readonly problems: FieldProblem[] = [];

  add(pointer: string, detail: string): void {
    this.problems.push({ pointer, detail });
  }

  has(pointer: string): boolean {
    return this.problems.some((problem) => problem.pointer === pointer);
  }

  integer(pointer: string, value: number, [min, max]: readonly [number, number]): void {
    if (Number.isSafeInteger(value) && value >= min && value <= max) return;
    this.add(pointer, `must be an integer from ${min} to ${max}`);
  }

  oneOf(pointer: string, value: string, allowed: readonly string[]): void {
    if (!allowed.includes(value)) this.add(pointer, `must be one of ${allowed.join(', ')}`);
  }

  /** An option that nothing reads must not look as if it worked. */
  unknownKeys(pointer: string, value: object, known: readonly string[]): void {
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      this.add(`${pointer}/${key}`, 'is not an option of this version');
    }
  }

  /** @throws NonceError `NONCE_CONFIG_INVALID`. */
  throwIfAny(): void {
    if (this.problems.length > 0) {
      throw new NonceError('NONCE_CONFIG_INVALID', { errors: this.problems });
    }
  }
}
