import { Transform } from 'class-transformer';

const DECIMAL = /^(?:0|[1-9]\d{0,15})$/;

/** A query value is text: plain digits become a number, anything else stays and fails validation. */
export const DecimalQuery = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value,
  );
