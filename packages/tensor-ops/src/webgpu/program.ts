import * as tf from '@tensorflow/tfjs-core';
import { type WebGPUBackendInternals, webgpuBackend } from './backend.ts';

/** A number that may change from call to call without a new compilation of the shader. */
export interface WebGPUUniform {
  readonly name: string;
  readonly type: 'i32' | 'u32' | 'f32';
  readonly value: number;
}

/**
 * A compute shader of our own, run inside tfjs: it reads tensors and writes one new tensor (or several: see
 * {@link MultiOutputProgram}).
 *
 * What the code of {@link body} and {@link declarations} may use (tfjs puts it in front):
 * - each input as an array of its name, and `result`, the output: `array<f32>` (`array<i32>` for `int32` and `bool`),
 *   flat in row-major order; those that {@link vectors} names as `array<vec4<f32>>`;
 * - `uniforms.<name>` for every entry of {@link uniforms}, and `uniforms.outShape`, `uniforms.<input>Shape` (`i32`, or
 *   `vec2<i32>` to `vec4<i32>` by rank);
 * - with `dispatch: 'elements'`, `index : i32`, the flat index of the output element that this invocation is for;
 * - with explicit workgroups, `workgroupId`, `localId`, `globalId`, `numWorkgroups` (`vec3<u32>`) and `localIndex : u32`.
 */
export interface WebGPUProgram {
  /**
   * Identifies the code: two programs of one name must have equal code, so every constant that is written into the code
   * belongs in it (`attention_64_16`). Ranks and types of inputs and output are added by tfjs.
   */
  readonly name: string;
  readonly inputs: readonly string[];
  readonly output: WebGPUOutput;
  /** Inputs and outputs whose arrays have elements of four numbers; the tensors' last dimension is a multiple of 4. */
  readonly vectors?: readonly string[];
  readonly uniforms?: readonly WebGPUUniform[];
  /** Extensions of WGSL, such as `f16` or `subgroups`; the device must have them (`webgpuDevice().features`). */
  readonly enable?: readonly string[];
  readonly workgroupSize: readonly [number, number, number];
  /** One invocation for each output element, or this many workgroups (each at most 65,535). */
  readonly dispatch: 'elements' | readonly [number, number, number];
  /** WGSL outside of the function: constants, workgroup memory, helper functions. */
  readonly declarations?: string;
  /** WGSL of the function's body. */
  readonly body: string;
}

/** A tensor that a program writes. */
export interface WebGPUOutput {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
}

/** A program that writes more tensors beside `result`, each as an array of its name. */
export interface MultiOutputProgram extends WebGPUProgram {
  readonly moreOutputs: readonly (WebGPUOutput & { readonly name: string })[];
}

/**
 * Runs a shader of our own on the webgpu backend and returns its output, which the tape does not see: wrap the call in
 * `tf.customGrad` (or register it as a kernel with a gradient) where it must be differentiated.
 *
 * @throws {BackendError} when the backend in use is not webgpu.
 */
export function runWebGPUProgram(program: WebGPUProgram, inputs: readonly tf.Tensor[]): tf.Tensor {
  return runMultiOutputProgram({ ...program, moreOutputs: [] }, inputs)[0] as tf.Tensor;
}

/**
 * The same for a program with several outputs: `[result, ...moreOutputs]`.
 *
 * @throws {BackendError} when the backend in use is not webgpu.
 */
export function runMultiOutputProgram(program: MultiOutputProgram, inputs: readonly tf.Tensor[]): tf.Tensor[] {
  const backend = webgpuBackend();
  if (program.enable?.length || program.moreOutputs.length) allowMarks(backend.device);
  const uniforms = (program.uniforms ?? []).map(({ type, value }) => ({ type: uniformTypes[type], data: [value] }));
  const more = program.moreOutputs.map(({ shape, dtype }) => backend.makeTensorInfo([...shape], dtype));
  const result = backend.runWebGPUProgram(tfjsProgram(program), [...inputs, ...more], program.output.dtype, uniforms);
  return [result, ...more].map((info) => tf.engine().makeTensorFromTensorInfo(info));
}

const uniformTypes = { i32: 'int32', u32: 'uint32', f32: 'float32' } as const;

/** The program in the terms of tfjs' backend, which knows one output: to it the others are inputs. */
function tfjsProgram(program: MultiOutputProgram): Parameters<WebGPUBackendInternals['runWebGPUProgram']>[0] {
  const { output, workgroupSize, dispatch } = program;
  const bound = [...program.inputs, ...program.moreOutputs.map(({ name }) => name)];
  const components = (name: string) => (program.vectors?.includes(name) ? 4 : 1);
  const flat = dispatch === 'elements';
  const axes = output.shape.map((_, axis) => axis);
  const elements = tf.util.sizeFromShape([...output.shape]) / components('result');
  const invocations = workgroupSize[0] * workgroupSize[1] * workgroupSize[2];
  return {
    variableNames: bound,
    variableComponents: bound.map(components),
    outputComponent: components('result'),
    outputShape: [...output.shape],
    uniforms: (program.uniforms ?? []).map(({ name, type }) => `${name} : ${type}, `).join(''),
    workgroupSize: [...workgroupSize],
    // A layout along x alone is what tfjs calls flat: it spreads more than 65,535 groups over y and z by itself.
    // Otherwise y must not be empty; one axis too many keeps tfjs from writing a getOutputCoords() that cannot be right.
    dispatchLayout: flat ? { x: axes } : { x: [], y: [0, ...axes] },
    dispatch: flat ? [Math.ceil(elements / invocations), 1, 1] : [...dispatch],
    size: true,
    shaderKey: `saccade_${program.name}`,
    getUserCode: () => wgsl(program, flat),
  };
}

function wgsl({ inputs, moreOutputs, enable, declarations, body }: MultiOutputProgram, flat: boolean): string {
  // A binding that the code does not mention is left out of the pipeline's layout, and tfjs' bind group, which has them
  // all, is refused. So each is mentioned.
  const written = moreOutputs.map(({ name }) => name);
  const mentions = [...[...inputs, ...written].map((name) => `_ = &${name};`), '_ = uniforms.size;'].join(' ');
  return [
    ...(enable ?? []).map((name) => `${enableMark}${name}`),
    ...written.map((name) => `${writeMark}${name}`),
    declarations ?? '',
    flat ? 'fn main(index : i32) {' : 'fn main() {',
    mentions,
    flat ? 'if (index >= uniforms.size) { return; }' : '',
    body,
    '}',
  ].join('\n');
}

const enableMark = '//!enable ';
const writeMark = '//!write ';
const prepared = new WeakSet<GPUDevice>();

/**
 * Two things that tfjs' own part of the code stands in the way of: WGSL wants `enable f16;` before anything else, and tfjs
 * declares everything but `result` as read only. The code carries marked comments instead, and this does what the marks
 * say, for shaders that have such marks and no others.
 */
function allowMarks(device: GPUDevice): void {
  if (prepared.has(device)) return;
  prepared.add(device);
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => {
    const marked = (mark: string) =>
      descriptor.code.split('\n').flatMap((line) => (line.startsWith(mark) ? [line.slice(mark.length)] : []));
    const [enabled, written] = [marked(enableMark), marked(writeMark)];
    if (enabled.length + written.length === 0) return create(descriptor);
    let code = descriptor.code;
    for (const name of written) code = code.replace(`var<storage, read> ${name}:`, `var<storage, read_write> ${name}:`);
    return create({ ...descriptor, code: [...enabled.map((name) => `enable ${name};`), code].join('\n') });
  };
}
