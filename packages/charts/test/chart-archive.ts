import { gzipSync } from 'node:zlib';

const BLOCK = 512;

/** A chart as `helm package` makes it: a tar, zipped, with the least that Helm asks of one. */
export function chartArchive(chart: {
  readonly name: string;
  readonly version: string;
  readonly note?: string;
}): Buffer {
  const { name, version, note = 'none' } = chart;
  return gzipSync(
    tar({
      [`${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: ${version}\n`,
      [`${name}/values.yaml`]: `note: ${note}\n`,
      [`${name}/templates/note.yaml`]:
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: note\ndata:\n  note: {{ .Values.note }}\n',
    }),
  );
}

/** The ustar format, for short names. */
function tar(files: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(files).flatMap(([name, text]) => {
    const body = Buffer.from(text);
    return [header(name, body.length), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]);
}

function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  block.write(name, 0);
  block.write(octal(0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(' '.repeat(8), 148);
  block.write('0ustar\u000000', 156);
  block.write(
    octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    ),
    148,
  );
  block.write('\0 ', 154);
  return block;
}
