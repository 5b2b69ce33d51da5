import { PlumbError } from '@plumb/core';

/** The one place of this package where a text of an object becomes a value: `json.decode` of a script. */
export function decodeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The parser's own message quotes the text, which may be that of a Secret.
    throw new PlumbError('LuaError', `a text of ${text.length} characters is no JSON`, {
      cause: cause instanceof SyntaxError ? undefined : cause,
    });
  }
}
