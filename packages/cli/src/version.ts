import packageJson from '../package.json' with { type: 'json' };

export const VERSION: string = packageJson.version;

/** The `apiVersion` of everything that is printed as JSON. */
export const JSON_VERSION = 'cli.plumb.dev/v1';
