import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import type { Serializer } from '../../src/ports/serializer.js';

class Layer {
  constructor(readonly weights: Float64Array) {}
}
class Model {
  constructor(
    readonly name: string,
    readonly layers: Layer[],
  ) {}
}

const layers: Serializer<Layer, Float64Array> = {
  key: 'test/Layer',
  claims: (value): value is Layer => value instanceof Layer,
  serialize: (layer) => layer.weights,
  deserialize: (weights) => new Layer(weights),
};
const models: Serializer<Model, { name: string; layers: Layer[] }> = {
  key: 'test/Model',
  claims: (value): value is Model => value instanceof Model,
  serialize: (model) => ({ name: model.name, layers: model.layers }),
  deserialize: (plain) => new Model(plain.name, plain.layers),
};
const codec = new MsgpackrCodec({ serializers: [models, layers] as Serializer[] });
const model = (): Model =>
  new Model('m', [new Layer(new Float64Array(500)), new Layer(Float64Array.of(1, -0))]);

describe('an instance that a serializer claims', () => {
  it('arrives as an instance, with the instances inside it', () => {
    const arrived = codec.decode(codec.encode({ best: model() })) as { best: Model };
    expect(arrived.best).toBeInstanceOf(Model);
    expect(arrived.best.layers[1]).toBeInstanceOf(Layer);
    expect(arrived.best).toEqual(model());
  });

  it('is one instance where it was one', () => {
    const one = model();
    const [first, second] = codec.decode(codec.encode([one, one])) as [Model, Model];
    expect(first).toBe(second);
  });

  it('has a digest that tells it from its plain form and from other classes', () => {
    expect(codec.digest(model())).toBe(codec.digest(model()));
    expect(codec.digest(model())).not.toBe(codec.digest({ name: model().name, layers: model().layers }));
    expect(codec.digest(new Layer(Float64Array.of(1)))).not.toBe(codec.digest(new Layer(Float64Array.of(2))));
  });

  it('is refused when it holds itself', () => {
    const inside: Layer[] = [];
    const one = new Model('loop', inside);
    inside.push(one as unknown as Layer);
    const refusal = expect.objectContaining({
      code: 'VALUE_NOT_ENCODABLE',
      message: expect.stringMatching(
        /^value<serialized by test\/Model>\.layers\[0\] is the instance of class Model that holds it/,
      ),
    });
    expect(() => codec.encode(one)).toThrow(refusal);
    expect(() => codec.digest(one)).toThrow(refusal);
  });

  it('may be an error of an own class', () => {
    class Diverged extends Error {
      constructor(readonly epoch: number) {
        super(`diverged in ${epoch}`);
      }
    }
    const errors: Serializer<Diverged, number> = {
      key: 'test/Diverged',
      claims: (value): value is Diverged => value instanceof Diverged,
      serialize: (error) => error.epoch,
      deserialize: (epoch) => new Diverged(epoch),
    };
    const own = new MsgpackrCodec({ serializers: [errors] as Serializer[] });
    expect(own.decode(own.encode(new Diverged(3)))).toBeInstanceOf(Diverged);
  });
});

describe('serializers of a codec', () => {
  it('are announced by their keys, sorted', () => {
    expect(codec.serializers).toEqual(['test/Layer', 'test/Model']);
  });

  it('are not asked about values that the codec knows', () => {
    const asked: object[] = [];
    const curious: Serializer = {
      key: 'test/curious',
      claims: (value): value is object => asked.push(value) > 0 && false,
      serialize: (value) => value,
      deserialize: (value) => value,
    };
    const own = new MsgpackrCodec({ serializers: [curious] });
    own.encode([{ a: -0 }, [1n], new Map(), new Date(), /x/, new Uint8Array(4), Object.create(null)]);
    expect(asked).toEqual([]);
  });

  it('must have different keys', () => {
    expect(() => new MsgpackrCodec({ serializers: [models, models] as Serializer[] })).toThrow(
      expect.objectContaining({
        code: 'SERIALIZER_DUPLICATE',
        message: expect.stringContaining('test/Model'),
      }),
    );
  });

  it('must have keys of 1 to 200 characters', () => {
    for (const key of ['', 'k'.repeat(201)]) {
      expect(() => new MsgpackrCodec({ serializers: [{ ...models, key }] as Serializer[] })).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      );
    }
  });

  it('that the receiver lacks are named', () => {
    const bytes = codec.encode([model()]);
    expect(() => new MsgpackrCodec().decode(bytes)).toThrow(
      expect.objectContaining({
        code: 'SERIALIZER_UNKNOWN',
        message: expect.stringContaining('"test/Model"'),
      }),
    );
  });

  it('that fail to serialize refuse the value, with their error as cause', () => {
    const failing = {
      ...layers,
      serialize: () => {
        throw new TypeError('not trained');
      },
    };
    const own = new MsgpackrCodec({ serializers: [failing] as unknown as Serializer[] });
    expect(() => own.encode([new Layer(new Float64Array(1))])).toThrow(
      expect.objectContaining({
        code: 'VALUE_NOT_ENCODABLE',
        message: expect.stringMatching(
          /^value\[0\] is an instance of class Layer that its serializer refused/,
        ),
        cause: new TypeError('not trained'),
      }),
    );
  });

  it('that fail to deserialize make the bytes malformed, with their error as cause', () => {
    const failing = {
      ...layers,
      deserialize: () => {
        throw new TypeError('no weights');
      },
    };
    const own = new MsgpackrCodec({ serializers: [failing] as unknown as Serializer[] });
    expect(() => own.decode(own.encode(new Layer(new Float64Array(1))))).toThrow(
      expect.objectContaining({
        code: 'BYTES_MALFORMED',
        message: expect.stringContaining('test/Layer'),
        cause: new TypeError('no weights'),
      }),
    );
  });

  it('may use the codec themselves', () => {
    const nested: Serializer<Layer, Uint8Array> = {
      key: 'test/nested',
      claims: (value): value is Layer => value instanceof Layer,
      serialize: (layer) =>
        Uint8Array.from(codec.encode([codec.digest(layer.weights), ...layer.weights]).head),
      deserialize: (head) =>
        new Layer(Float64Array.from((codec.decode({ head, buffers: [] }) as number[]).slice(1))),
    };
    const own = new MsgpackrCodec({ serializers: [nested] as Serializer[] });
    const value = [new Layer(Float64Array.of(1, 2)), new Layer(Float64Array.of(3))];
    expect(own.decode(own.encode(value))).toEqual(value);
    expect(own.digest(own.decode(own.encode(value)))).toBe(own.digest(value));
  });
});
