import { registerMissingGradients } from './gradients/index.ts';
import { registerMissingKernels } from './kernels/index.ts';

// The one module of this package that does something when it is imported, and what it does is done once.
registerMissingGradients();
registerMissingKernels();
