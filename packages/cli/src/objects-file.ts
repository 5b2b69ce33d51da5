import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isJsonObject, PlumbError, type Json, type JsonObject, type KubeObject, type ObjectMeta } from '@plumb/core';
import { decodeYaml } from '@plumb/render';
import { decodeJsonObject } from './decode-json.ts';

interface Document {
  readonly value: Json;
  readonly line: number;
}

/** The text of a file, or of standard input for `-`. Throws `Usage` where it cannot be read, `Encoding` where it is no text. */
export async function readInput(file: string, cwd: string): Promise<{ readonly text: string; readonly name: string }> {
  const name = file === '-' ? 'standard input' : file;
  let bytes: Uint8Array;
  try {
    bytes = await (file === '-' ? readStandardInput() : readFile(resolve(cwd, file)));
  } catch (cause) {
    throw new PlumbError('Usage', `${name} cannot be read`, {
      fix: 'Name a file that is there, or - for standard input.',
      cause,
    });
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), name };
  } catch (cause) {
    throw new PlumbError('Encoding', `${name} is not UTF-8`, { where: { file: name }, cause });
  }
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/**
 * The objects of a text in its order: JSON, one JSON object a line, YAML of any number of documents, and the items of
 * lists in any of them, lists within lists too. Throws at the first document that is no object, with its line.
 */
export function objectsIn(text: string, name: string): readonly KubeObject[] {
  return documentsOf(text, name).flatMap(({ value, line }) => {
    if (value === null) return [];
    return unfold(value, (message) => {
      throw new PlumbError('NotAnObject', message, {
        where: { file: name, line },
        fix: 'Give objects with apiVersion and kind, as kubectl get -o json prints them.',
      });
    });
  });
}

function documentsOf(text: string, name: string): readonly Document[] {
  // JSON is most of what comes here, and read ten times as fast by itself.
  if (!/^\s*\{/.test(text)) return decodeYaml(text, name);
  const whole = decodeJsonObject(text);
  if (whole !== undefined) return [{ value: whole, line: 1 }];
  const documents: Document[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const value = decodeJsonObject(line);
    // Objects over several lines, one after the other, or a fault: the reader of YAML knows where.
    if (value === undefined)
      return index === 0 || documents.length === 0 ? decodeYaml(text, name) : failLine(line, index, name);
    documents.push({ value, line: index + 1 });
  }
  return documents;
}

function failLine(line: string, index: number, name: string): never {
  throw new PlumbError('YamlSyntax', `this line is no JSON object: ${line.trim().slice(0, 60)}`, {
    where: { file: name, line: index + 1 },
  });
}

function unfold(value: Json, fail: (message: string) => never): readonly KubeObject[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((item) => unfold(item, fail));
  if (!isJsonObject(value)) return fail('the document is no object');
  const { apiVersion, kind, items } = value;
  if (typeof kind !== 'string' || kind === '') return fail('the object has no kind');
  if (typeof apiVersion !== 'string' || apiVersion === '') return fail(`the ${kind} has no apiVersion`);
  if (kind.endsWith('List') && Array.isArray(items)) {
    // Items of a typed list say their kind by the list.
    const ofKind = kind.slice(0, -'List'.length);
    return (items as readonly Json[]).flatMap((item) =>
      unfold(isJsonObject(item) && ofKind !== '' ? { apiVersion, kind: ofKind, ...item } : item, fail),
    );
  }
  return [{ ...value, apiVersion, kind, metadata: metadataOf(value) }];
}

/** Also of an object without a name: what it says of its health does not depend on it. */
function metadataOf({ metadata }: JsonObject): ObjectMeta {
  const fields = isJsonObject(metadata) ? metadata : {};
  return { ...(fields as unknown as ObjectMeta), name: typeof fields['name'] === 'string' ? fields['name'] : '' };
}
