import { applyDecorators } from '@nestjs/common';
import { ApiDefaultResponse, ApiParam, getSchemaPath } from '@nestjs/swagger';
import { ProblemDto } from '../http/problem.dto';

/** Every route answers errors alike; the codes are listed under `ErrorCode`. */
export const ApiProblems = (): MethodDecorator & ClassDecorator =>
  ApiDefaultResponse({
    description: 'A problem document (RFC 9457)',
    content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDto) } } },
  });

export const ApiSubmitterParam = (): MethodDecorator & ClassDecorator =>
  ApiParam({
    name: 'submitter',
    description: 'CAIP-10 account in any case, or a bare address where a default chain is set',
    example: 'eip155:31337:0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
  });

export const ApiAllocationIdParam = (): MethodDecorator & ClassDecorator =>
  applyDecorators(ApiParam({ name: 'id', format: 'uuid' }));
