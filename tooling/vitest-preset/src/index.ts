export { type SoftwareVulkan, softwareVulkan } from '@saccade/software-vulkan';
export { type Close, describeClose, expectClose } from './close.ts';
export { type DescribeOptions, describeOnBackends, type TestBackend } from './describeOnBackends.ts';
export { type FiniteDifferenceOptions, finiteDifference } from './finiteDifference.ts';
export { expectNoLeak } from './leaks.ts';
