import { ApiProperty } from '@nestjs/swagger';
import { ERROR_CATALOGUE, type ErrorCode } from '@noncekit/nonce-core';

export class ErrorPageDto {
  @ApiProperty({ enum: Object.keys(ERROR_CATALOGUE), enumName: 'ErrorCode' })
  code!: ErrorCode;

  @ApiProperty({ type: 'integer' })
  status!: number;

  @ApiProperty()
  retryable!: boolean;

  @ApiProperty()
  title!: string;

  @ApiProperty()
  fix!: string;
}
