import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runLua } from './script.ts';

const QUICK = {
  limits: { timeMs: 100, memoryBytes: 4 * 1024 * 1024 },
  monotonic: () => performance.now(),
  now: () => 1_700_000_000_000,
};

function answer(source: string, obj: unknown = {}): unknown {
  return runLua(source, 'health.lua', obj, QUICK);
}

const rows: readonly (readonly [string, unknown])[] = [
  ['return 6 / 2 .. ""', '3'],
  ['return tostring(1 / 3)', '0.3333333333333333'],
  ['return 2 ^ 53 .. ""', '9007199254740992'],
  ['return -7 % 3', 2],
  ['return #"hö"', 3],
  ['return ("a,b"):gsub(",", ";")', 'a;b'],
  ['return (string.match("2024-01-02T03", "^(%d+)%-"))', '2024'],
  ['return string.format("%d %5.2f|%-3s|%03d", 3.0, 2.5, "a", 7)', '3  2.50|a  |007'],
  ['return select("#", unpack({ 1, 2, 3 }))', 3],
  ['return table.getn({ 1, 2 }) + math.pow(2, 3)', 10],
  [
    'return os.date("!%Y-%m-%dT%H:%M:%SZ", os.time({ year = 2020, month = 1, day = 1, hour = 0 }))',
    '2020-01-01T00:00:00Z',
  ],
  ['local n = 0 for i = 1, 3 do if i == 2 then goto next end n = n + i ::next:: end return n', 4],
  ['local f = {} for i = 1, 2 do f[i] = function() i = i + 1 return i end end f[1]() return f[1]() * 10 + f[2]()', 33],
  ['return (select(2, pcall(error, { code = 7 }))).code', 7],
  ['local t = setmetatable({}, { __index = function(_, k) return k .. "!" end }) return t.x', 'x!'],
  ['local t = { 3, 1, 2 } table.sort(t, function(a, b) return a > b end) return table.concat(t, " ")', '3 2 1'],
  ['return obj.none == nil and type(obj.list) .. #obj.list', 'table2'],
  ['return #obj.holes .. obj.holes[2]', '2b'],
  ['return io == nil and package == nil and os.execute == nil and load == nil and debug == nil', true],
  ['return require("os") == os and pcall(require, "socket")', false],
  ['local t = require("json").decode([==[{"a":[{"b":"é"},null,2]}]==]) return t.a[1].b .. t.a[2]', 'é2'],
  ['local t, problem = require("json").decode("{") return t == nil and type(problem)', 'string'],
  ['return require("json").decode(string.rep("[", 500) .. string.rep("]", 500))', undefined],
  ['return require("json").encode({ list = { 1, "x", true } })', '{"list":[1,"x",true]}'],
  ['for _, n in ipairs({ 1, 2 }) do if n == 1 then goto continue end local x = n do return x end ::continue:: end', 2],
];

for (const [source, expected] of rows) {
  test(`Lua as 5.1 runs it: ${source}`, () => {
    assert.deepEqual(answer(source, { none: null, list: ['a', 'b'], holes: ['a', null, 'b'] }), expected);
  });
}

const hostile: readonly (readonly [string, string, RegExp])[] = [
  ['an endless loop', 'while true do end', /ran longer than 100 ms/],
  ['a loop that catches everything', 'while true do pcall(function() while true do end end) end', /ran longer/],
  ['a pattern that backtracks for ever', 'return string.find(string.rep("a", 30000), ".-.-.-.-b")', /ran longer/],
  ['a text that doubles', 'local s = "a" while true do s = s .. s end', /made more than 4 MiB/],
  ['a huge repetition', 'return string.rep("a", 1e10)', /made more than 4 MiB/],
  ['tables without end', 'local t = {} while true do t[#t + 1] = {} end', /made more than 4 MiB|ran longer/],
  ['recursion without end', 'local function f() return 1 + f() end return f()', /stack overflow/],
  ['a field of nil', 'local x\nreturn obj.a.b', /health\.lua:2: attempt to index a nil value/],
];

for (const [says, source, expected] of hostile) {
  test(`a script with ${says} ends in an error`, () => {
    assert.throws(() => answer(source), expected);
  });
}
