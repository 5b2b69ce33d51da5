// Writes the CRDs from the schemas: crds/*.yaml for people and `kubectl apply`, crds/crds.json for the engine.
import { writeFile } from 'node:fs/promises';
import { crdFiles } from './crd-files.ts';

for (const { path, text } of crdFiles()) await writeFile(new URL(`../${path}`, import.meta.url), text);
