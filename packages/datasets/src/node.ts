export { type LoadMnistOptions, loadMnist } from './mnist.ts';
