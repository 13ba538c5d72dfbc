/** A thread that says that the native binding did not load, and that it may not have its nice value, for the tests of the warnings. It answers nothing. */
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', () => {});
parentPort?.postMessage({ backend: 'javascript', isNiceRefused: true });
