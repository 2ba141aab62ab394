import { ValidateIf } from 'class-validator';

/** The field may be left out. Unlike `IsOptional`, null is a value and has to be valid. */
export const IfPresent = (): PropertyDecorator =>
  ValidateIf((_: unknown, value: unknown) => value !== undefined);

/** The field may be left out, or be null where null has a documented meaning. */
export const IfPresentOrNull = (): PropertyDecorator =>
  ValidateIf((_: unknown, value: unknown) => value !== undefined && value !== null);
