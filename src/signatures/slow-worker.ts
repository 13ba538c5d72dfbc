/** A thread that says that the native binding did not load, for the test of the warning. It answers nothing. */
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', () => {});
parentPort?.postMessage({ backend: 'javascript' });
