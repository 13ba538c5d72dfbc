/** The door of execution. */
export { Engine, type EngineOptions } from './engine.ts';
