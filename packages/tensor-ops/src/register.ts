import { registerMissingGradients } from './gradients/index.ts';

// What importing this package does, once: it gives tfjs the gradients that nobody registered.
registerMissingGradients();
