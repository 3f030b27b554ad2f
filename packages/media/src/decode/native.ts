import { DecodeError, messageOf } from '../errors.ts';
import { checkSize } from './convert.ts';
import type { PlatformDecoder } from './decodeWith.ts';
import { type JpegHeader, withoutAdvice } from './jpeg.ts';
import { type WebpHeader, withoutWebpAdvice } from './webp.ts';

/**
 * What the browser decodes. Colour profiles and orientation are cut out of the file first, because browsers do not agree
 * on the options that tell them to ignore these.
 *
 * Pixels of images without alpha are read from a canvas, which keeps them as they are; a canvas multiplies colours by
 * alpha and rounds, so images with alpha are read from a texture.
 */
export const decodeNatively: PlatformDecoder = async (bytes, header, signal) => {
  const cmyk = header.format === 'jpeg' && header.components === 4;
  if (cmyk) {
    throw new DecodeError(
      'Unsupported',
      'the JPEG file is in CMYK, which every browser makes RGB in a way of its own. Save it as RGB, or decode it in Node.',
    );
  }
  const plain = header.format === 'jpeg' ? withoutAdvice(bytes, header) : withoutWebpAdvice(bytes);
  try {
    const hasAlpha = header.format === 'webp' && header.alpha;
    return checkSize(await pixelsOf(plain, header, hasAlpha ? fromTexture : fromCanvas), header);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof DecodeError) throw cause;
    throw new DecodeError(
      'Corrupt',
      `the browser refuses the ${header.format} file, which is damaged or cut off: ${messageOf(cause)}.`,
      { cause },
    );
  }
};

async function pixelsOf(bytes: Uint8Array, { width, height, format }: JpegHeader | WebpHeader, read: PixelReader) {
  const blob = new Blob([Uint8Array.from(bytes)], { type: `image/${format}` });
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  try {
    if (bitmap.width !== width || bitmap.height !== height) {
      throw new DecodeError(
        'Corrupt',
        `the browser gives ${bitmap.width} x ${bitmap.height} pixels of ${width} x ${height}.`,
      );
    }
    return { data: read(bitmap), width, height, channels: 4 };
  } finally {
    bitmap.close();
  }
}

/** [H, W, 4] */
type PixelReader = (bitmap: ImageBitmap) => Uint8Array;

function fromCanvas(bitmap: ImageBitmap): Uint8Array {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new DecodeError('Unsupported', 'this browser has no canvas to read pixels from.');
  context.drawImage(bitmap, 0, 0);
  return new Uint8Array(context.getImageData(0, 0, width, height).data.buffer);
}

function fromTexture(bitmap: ImageBitmap): Uint8Array {
  const { width, height } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (gl === null || Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) {
    throw new DecodeError(
      'Unsupported',
      `this browser cannot read ${width} x ${height} pixels with alpha exactly (by WebGL 2). Use decoder: 'wasm'.`,
    );
  }
  try {
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
    gl.framebufferTexture2D(
      gl.FRAMEBUFFER,
      gl.COLOR_ATTACHMENT0,
      gl.TEXTURE_2D,
      gl.getParameter(gl.TEXTURE_BINDING_2D),
      0,
    );
    const data = new Uint8Array(width * height * 4);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, data);
    return data;
  } finally {
    // Browsers have few contexts, and would otherwise keep this one until the garbage is collected.
    gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}
