import type { GuestError } from './sandbox/reply.ts';

/** A place in a template, as upstream names it. */
export interface TemplatePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * What is wrong in a template, in upstream's words, on one line: without the calls that led there, which each say the
 * same once more, and without the values that some messages quote.
 */
export function templateCause({ message }: GuestError): string {
  return message
    .replace(/^template: .* at <.*>: /s, '')
    .replace(/^error calling \w+: cannot parse template ".*": template: \S+?:\d+: /s, 'in a text given to tpl: ')
    .replace(/^(?:error calling include: )?template: no template (".*?") associated .*$/s, 'there is no template $1')
    .replace(/(rendering template has a nested reference name: \S+): unable to execute template$/, '$1')
    .replace(/^error calling include: /, '')
    .replace(/^range can't iterate over .*$/s, "range can't iterate over this value")
    .replaceAll(/%![a-z]\((\w+)=[^)]*\)/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/**
 * The innermost place that is a file. A text that was given to `tpl` is none: what is wrong in it is told at the template
 * that gave it.
 */
export function templatePlace(error: GuestError, isFile: (name: string) => boolean): TemplatePlace | undefined {
  if (isFile(error.file)) return error;
  let place: TemplatePlace | undefined;
  for (const [, file = '', line, column] of error.detail.matchAll(PLACE)) {
    if (isFile(file)) place = { file, line: Number(line), column: Number(column ?? 0) };
  }
  return place;
}

/** As in `template: x/templates/a.yaml:1:3: executing`, `x/templates/a.yaml:1:3` alone on a line, and `at (x/…:1)`. */
const PLACE = /(?:^|template: |\bat \()([^\s"'<>()][^\n"'<>()]*?):(\d+)(?::(\d+))?(?=[:)]|$)/gm;
