import { Logger as NestLogger } from '@nestjs/common';
import type { LogFields, Logger } from '../ports/logger.port';

/** Writes through whatever logger the host gave to Nest. */
export class NestLoggerAdapter implements Logger {
  private readonly logger = new NestLogger('Noncekit');

  debug(message: string, fields?: LogFields): void {
    this.logger.debug(line(message, fields));
  }

  info(message: string, fields?: LogFields): void {
    this.logger.log(line(message, fields));
  }

  warn(message: string, fields?: LogFields): void {
    this.logger.warn(line(message, fields));
  }

  error(message: string, fields?: LogFields): void {
    this.logger.error(line(message, fields));
  }
}

function line(message: string, fields: LogFields | undefined): string {
  return fields === undefined ? message : `${message} ${JSON.stringify(fields)}`;
}
