import { ApiProperty } from '@nestjs/swagger';
import { ERROR_CATALOGUE, type ErrorCode } from '@noncekit/nonce-core';

export class FieldProblemDto {
  @ApiProperty({ description: 'JSON pointer to the offending field', example: '/count' })
  pointer!: string;

  @ApiProperty({ example: 'count must not be greater than 256' })
  detail!: string;
}

/** OpenAPI twin of `ProblemDocument`. */
export class ProblemDto {
  @ApiProperty({ description: 'Page about the code on this server', format: 'uri' })
  type!: string;

  @ApiProperty()
  title!: string;

  @ApiProperty({ example: 400 })
  status!: number;

  @ApiProperty()
  detail!: string;

  @ApiProperty({ enum: Object.keys(ERROR_CATALOGUE), enumName: 'ErrorCode' })
  code!: ErrorCode;

  @ApiProperty({ description: 'The identical call can succeed later' })
  retryable!: boolean;

  @ApiProperty()
  fix!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  context!: Record<string, unknown>;

  @ApiProperty()
  requestId!: string;

  @ApiProperty({ type: [FieldProblemDto] })
  errors!: FieldProblemDto[];
}
