import assert from 'node:assert/strict';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { carried } from './codec-samples.js';
import type { CodecCase } from './codec-subject.js';

const CLASSES = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];

export const errorCases: readonly CodecCase[] = [
  {
    id: 'codec/errors/classes',
    title: 'carries errors of every class of the language with message and stack',
    promise: 'errors-whole',
    run: async ({ codec }) => {
      for (const Class of CLASSES) {
        const error = new Class(`a ${Class.name}`);
        const arrived = carried(codec, error);
        assert.ok(arrived instanceof Class, `${Class.name} arrives as another class`);
        assert.equal(arrived.message, error.message);
        assert.equal(arrived.stack, error.stack);
      }
    },
  },
  {
    id: 'codec/errors/aggregate',
    title: 'carries an AggregateError with its errors',
    promise: 'errors-whole',
    run: async ({ codec }) => {
      const arrived = carried(codec, new AggregateError([new TypeError('a'), 'b'], 'many'));
      assert.ok(arrived instanceof AggregateError, 'it arrives as another class');
      assert.ok(arrived.errors[0] instanceof TypeError, 'the first of its errors is another class');
      assert.equal(arrived.errors[1], 'b');
    },
  },
  {
    id: 'codec/errors/causes',
    title: 'carries the causes of an error, however many',
    promise: 'errors-whole',
    run: async ({ codec }) => {
      const error = new Error('3', { cause: new TypeError('2', { cause: { at: 1 } }) });
      const { cause } = carried(codec, error) as { cause: Error };
      assert.ok(cause instanceof TypeError, 'the cause is another class');
      assert.equal(cause.message, '2');
      assert.deepEqual(cause.cause, { at: 1 });
    },
  },
  {
    id: 'codec/errors/properties',
    title: 'carries own properties of an error, of any kind',
    promise: 'errors-whole',
    run: async ({ codec }) => {
      const error = Object.assign(new Error('e'), { code: 'E_ABOVE', rows: new Map([[1, 2n]]) });
      const arrived = carried(codec, error);
      assert.deepEqual(Object.keys(arrived), ['code', 'rows']);
      assert.equal(arrived.code, 'E_ABOVE');
      assert.deepEqual(arrived.rows, new Map([[1, 2n]]));
    },
  },
  {
    id: 'codec/errors/own-classes',
    title: 'carries an error of another class as an Error with the name of the class',
    promise: 'errors-whole',
    run: async ({ codec }) => {
      class TrainingFailed extends Error {}
      const arrived = carried<Error>(codec, new TrainingFailed('diverged'));
      assert.ok(arrived instanceof Error);
      assert.equal(arrived.name, 'TrainingFailed');
      assert.equal(arrived.message, 'diverged');
      assert.deepEqual(Object.keys(arrived), []);
    },
  },
  {
    id: 'codec/errors/engine-errors',
    title: 'carries an error of the engine as one, with its code',
    promise: 'errors-whole',
    run: async ({ codec }) => {
      const arrived = carried(codec, new RoutineEngineError('QUEUE_TIMEOUT', 'late'));
      assert.ok(arrived instanceof RoutineEngineError, 'it is no RoutineEngineError');
      assert.equal(arrived.code, 'QUEUE_TIMEOUT');
      assert.equal(arrived.retryable, true);
    },
  },
];
