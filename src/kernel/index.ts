/** The door of the kernel. */
export { Kernel, type KernelOptions, type ParallelModel, type RunOptions, type RunOutcome, wallMicros } from './kernel.ts';
