import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { InvalidRequest } from './invalid-request.ts';
import { inferResponse, parseInferRequest } from './open-inference.ts';
import type { Signature } from './signature.ts';

const MODEL: Signature = {
  name: 'm',
  version: '3',
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 'n', datatype: 'INT32', shape: [1] },
  ],
  outputs: [
    { name: 'y', datatype: 'FP32', shape: [-1, 2] },
    { name: 'ok', datatype: 'BOOL', shape: [1] },
  ],
};

const X = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] };
const N = { name: 'n', datatype: 'INT32', shape: [1], data: [7] };

function parse(body: unknown): ReturnType<typeof parseInferRequest> {
  return parseInferRequest(body, MODEL, 1000);
}

describe('Open Inference Protocol v2', () => {
  it('reads inputs in any order, with an id and with parameters', () => {
    const request = parse({
      id: 'a-1',
      parameters: { trace: true },
      inputs: [N, { ...X, parameters: { content_type: 'np' }, data: [[1, 2]] }],
      outputs: [{ name: 'ok', parameters: { binary_data: false } }],
    });
    assert.deepEqual(request, {
      id: 'a-1',
      inputs: new Map([
        ['n', { datatype: 'INT32', shape: [1], data: new Int32Array([7]) }],
        ['x', { datatype: 'FP32', shape: [1, 2], data: new Float32Array([1, 2]) }],
      ]),
      outputs: ['ok'],
    });
  });

  for (const outputs of [undefined, []]) {
    it(`gives every output of the model when "outputs" is ${JSON.stringify(outputs)}`, () => {
      assert.deepEqual(parse({ inputs: [X, N], outputs }).outputs, ['y', 'ok']);
    });
  }

  const refused: readonly { readonly because: string; readonly body: unknown; readonly says: string }[] = [
    {
      because: 'a body that is a list',
      body: [],
      says: 'body: is an array of 0, but an object with "inputs" is needed',
    },
    { because: 'an id that is a number', body: { id: 1, inputs: [X, N] }, says: 'id: is 1, but a string is needed' },
    {
      because: 'no inputs',
      body: {},
      says: 'inputs: is missing, but an array with one tensor for each input is needed',
    },
    { because: 'an input too few', body: { inputs: [X] }, says: 'inputs: lacks "n"; model "m" takes "x", "n"' },
    { because: 'an input twice', body: { inputs: [X, X] }, says: 'inputs[1].name: "x" is given twice' },
    {
      because: 'an unknown input',
      body: { inputs: [{ ...X, name: 'z' }] },
      says: 'inputs[0].name: "z" is no input of model "m", which takes "x", "n"',
    },
    {
      because: 'an input without a name',
      body: { inputs: [{}] },
      says: 'inputs[0].name: missing is no input of model "m", which takes "x", "n"',
    },
    { because: 'an input that is a number', body: { inputs: [1] }, says: 'inputs[0]: is 1, but an object is needed' },
    {
      because: 'no datatype',
      body: { inputs: [{ ...X, datatype: undefined }] },
      says: 'inputs[0].datatype: is missing; send "FP32"',
    },
    {
      because: 'a datatype of another kind',
      body: { inputs: [{ ...X, datatype: 'INT32' }] },
      says: 'inputs[0].datatype: is INT32, but this input takes "FP32"',
    },
    {
      because: 'a datatype that is not served',
      body: { inputs: [{ ...X, datatype: 'FP64' }] },
      says: 'inputs[0].datatype: FP64 is not supported by this server, which takes FP32, INT32, BOOL; this input takes "FP32"',
    },
    {
      because: 'no datatype of the protocol',
      body: { inputs: [{ ...X, datatype: 'float' }] },
      says: 'inputs[0].datatype: is "float", which is no datatype of the Open Inference Protocol; this input takes "FP32"',
    },
    {
      because: 'no shape',
      body: { inputs: [{ ...X, shape: undefined }] },
      says: 'inputs[0].shape: is missing, but an array is needed; input "x" takes [-1,2], where -1 is any size',
    },
    {
      because: 'a shape of another size',
      body: { inputs: [{ ...X, shape: [1, 3] }] },
      says: 'inputs[0].shape: is [1,3], but input "x" takes [-1,2], where -1 is any size',
    },
    {
      because: 'a shape of another rank',
      body: { inputs: [X, { ...N, shape: [1, 1] }] },
      says: 'inputs[1].shape: is [1,1], but input "n" takes [1]',
    },
    {
      because: 'an empty dimension',
      body: { inputs: [{ ...X, shape: [0, 2] }] },
      says: 'inputs[0].shape[0]: is 0, but a whole number from 1 is needed; input "x" takes [-1,2], where -1 is any size',
    },
    {
      because: 'a dimension left open',
      body: { inputs: [{ ...X, shape: [-1, 2] }] },
      says: 'inputs[0].shape[0]: is -1, but a whole number from 1 is needed; input "x" takes [-1,2], where -1 is any size',
    },
    {
      because: 'no data',
      body: { inputs: [{ ...X, data: undefined }] },
      says: 'inputs[0].data: is missing; send 2 values, flat or nested by shape',
    },
    {
      because: 'a wrong element',
      body: { inputs: [{ ...X, data: [[1, 'a']] }] },
      says: 'inputs[0].data[0][1]: is "a", but FP32 takes finite numbers within the range of a 32-bit float',
    },
    {
      because: 'binary data',
      body: { inputs: [{ ...X, parameters: { binary_data_size: 8 } }] },
      says: 'inputs[0].parameters.binary_data_size: the binary tensor extension is not served; leave it out and use JSON',
    },
    {
      because: 'parameters that are a list',
      body: { inputs: [{ ...X, parameters: [] }] },
      says: 'inputs[0].parameters: is an array of 0, but an object is needed',
    },
    {
      because: 'an unknown output',
      body: { inputs: [X, N], outputs: [{ name: 'z' }] },
      says: 'outputs[0].name: "z" is no output of model "m", which gives "y", "ok"',
    },
    {
      because: 'outputs that are texts',
      body: { inputs: [X, N], outputs: ['y'] },
      says: 'outputs[0]: is "y", but an object is needed',
    },
    {
      because: 'an output twice',
      body: { inputs: [X, N], outputs: [{ name: 'y' }, { name: 'y' }] },
      says: 'outputs[1].name: "y" is asked for twice',
    },
    {
      because: 'a binary output',
      body: { inputs: [X, N], outputs: [{ name: 'y', parameters: { binary_data: true } }] },
      says: 'outputs[0].parameters.binary_data: the binary tensor extension is not served; leave it out and use JSON',
    },
    {
      because: 'a binary answer',
      body: { inputs: [X, N], parameters: { binary_data_output: true } },
      says: 'parameters.binary_data_output: the binary tensor extension is not served; leave it out and use JSON',
    },
    {
      because: 'a name that every object has',
      body: { inputs: [{ ...X, name: '__proto__' }] },
      says: 'inputs[0].name: "__proto__" is no input of model "m", which takes "x", "n"',
    },
  ];
  for (const { because, body, says } of refused) {
    it(`refuses ${because}`, () => {
      assert.throws(
        () => parse(body),
        (error) => {
          assert.ok(error instanceof InvalidRequest);
          assert.equal(error.message, says);
          return true;
        },
      );
    });
  }

  it('answers with names, datatypes, shapes and flat data, and echoes the id', () => {
    const outputs = new Map([
      ['y', { datatype: 'FP32' as const, shape: [1, 2], data: new Float32Array([0.5, -1]) }],
      ['ok', { datatype: 'BOOL' as const, shape: [1], data: new Uint8Array([1]) }],
    ]);
    assert.deepEqual(JSON.parse(inferResponse(MODEL, 'i"d', outputs)), {
      model_name: 'm',
      model_version: '3',
      id: 'i"d',
      outputs: [
        { name: 'y', datatype: 'FP32', shape: [1, 2], data: [0.5, -1] },
        { name: 'ok', datatype: 'BOOL', shape: [1], data: [true] },
      ],
    });
    assert.equal('id' in JSON.parse(inferResponse(MODEL, undefined, outputs)), false);
  });
});
