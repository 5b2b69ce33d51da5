import { isJsonObject, type JsonObject } from '@plumb/core';

/** The mapping that a JSON text holds, or undefined where it is anything else: the one place that parses outside text. */
export function decodeJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
