import { ValidateBy } from 'class-validator';
import { isStorable } from './json-body';

/**
 * Text of 1 to `max` UTF-16 units that Postgres can keep. class-validator's `Length` does not count
 * variation selectors, which Postgres does, so a text it lets pass can violate a CHECK.
 */
export const BoundedText = (max: number): PropertyDecorator =>
  ValidateBy({
    name: 'boundedText',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' && value !== '' && value.length <= max && isStorable(value),
      defaultMessage: (args) =>
        `${args?.property ?? 'text'} must be text of 1 to ${max} characters`,
    },
  });
