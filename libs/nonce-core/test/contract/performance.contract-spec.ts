import { describeNonceEngine } from '../../src/testing';
import { performanceSubject } from './performance-subject';

describeNonceEngine('the performance engine under strict intents,', () =>
  performanceSubject('strict'),
);

describeNonceEngine('the performance engine under relaxed intents,', () =>
  performanceSubject('relaxed'),
);
