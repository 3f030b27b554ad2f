import { SaccadeError } from './errors.ts';

/** A backend cannot be had, or is not the one that a call needs. */
export class BackendError extends SaccadeError {
  override readonly name = 'BackendError';
  /** The backend in question: `cpu`, `wasm`, `webgpu`. */
  readonly backend: string;

  constructor(backend: string, message: string, options?: ErrorOptions) {
    super(`backend ${backend}: ${message}`, options);
    this.backend = backend;
  }
}
