import * as tf from '@tensorflow/tfjs-core';
import { Tally } from './tally.ts';

/** The members of tfjs' webgl backend that are used here. */
interface WebGLBackend {
  getGPGPUContext(): { readonly gl: WebGL2RenderingContext | WebGLRenderingContext };
  /** bytes of the textures in use, as `tf.memory()` gives it */
  numBytesInGPU: number;
}

/**
 * Waits until WebGL has done everything, by reading one pixel that nothing was drawn to: commands are done in their order,
 * and a pixel cannot be had before them.
 */
export function finishWebgl(): void {
  const { gl } = (tf.backend() as unknown as WebGLBackend).getGPGPUContext();
  const before = gl.getParameter(gl.FRAMEBUFFER_BINDING) as WebGLFramebuffer | null;
  gl.bindFramebuffer(gl.FRAMEBUFFER, onePixel(gl));
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  gl.bindFramebuffer(gl.FRAMEBUFFER, before);
}

const pixels = new WeakMap<object, WebGLFramebuffer>();

function onePixel(gl: WebGL2RenderingContext | WebGLRenderingContext): WebGLFramebuffer {
  const known = pixels.get(gl);
  if (known !== undefined) return known;
  const [texture, framebuffer] = [gl.createTexture(), gl.createFramebuffer()];
  const before = gl.getParameter(gl.TEXTURE_BINDING_2D) as WebGLTexture | null;
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
  gl.bindTexture(gl.TEXTURE_2D, before);
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  pixels.set(gl, framebuffer);
  return framebuffer;
}

/**
 * Watches the textures in use of the webgl backend. Those that wait in its pool are not counted: one of them may serve a
 * size that was freed long before.
 *
 * @returns ends the watch and gives the most bytes at once
 */
export function watchTextures(): () => number {
  const tally = new Tally();
  const backend = tf.backend() as unknown as WebGLBackend;
  let bytes = backend.numBytesInGPU;
  Object.defineProperty(backend, 'numBytesInGPU', {
    configurable: true,
    enumerable: true,
    get: () => bytes,
    set(next: number) {
      if (next > bytes) tally.add(next - bytes);
      else tally.remove(bytes - next);
      bytes = next;
    },
  });
  return () => {
    Object.defineProperty(backend, 'numBytesInGPU', {
      configurable: true,
      enumerable: true,
      writable: true,
      value: bytes,
    });
    return tally.peak;
  };
}
