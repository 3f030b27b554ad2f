/** What a GPU device was asked for. */
export interface DeviceUse {
  /** most bytes of buffers that existed at the same time */
  readonly peakBytes: number;
  /** largest part of a buffer that a program was given, in bytes */
  readonly largestBinding: number;
}

/**
 * Counts what passes through a device: every buffer, whoever makes it, until it is destroyed, and every binding. It must
 * begin before the first buffer is made.
 */
export class DeviceWatch {
  #live = 0;
  #peak = 0;
  #binding = 0;

  constructor(device: GPUDevice) {
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer(descriptor);
      this.#live += buffer.size;
      this.#peak = Math.max(this.#peak, this.#live);
      const destroy = buffer.destroy.bind(buffer);
      let alive = true;
      buffer.destroy = () => {
        if (alive) this.#live -= buffer.size;
        alive = false;
        return destroy();
      };
      return buffer;
    };
    const createBindGroup = device.createBindGroup.bind(device);
    device.createBindGroup = (descriptor) => {
      for (const { resource } of descriptor.entries) {
        const { buffer, offset = 0, size } = resource as GPUBufferBinding;
        this.#binding = Math.max(this.#binding, size ?? buffer.size - offset);
      }
      return createBindGroup(descriptor);
    };
  }

  /** Begins to count anew, with the buffers that exist. */
  restart(): void {
    this.#peak = this.#live;
    this.#binding = 0;
  }

  /** What was used since the last {@link restart}. */
  get use(): DeviceUse {
    return { peakBytes: this.#peak, largestBinding: this.#binding };
  }
}
