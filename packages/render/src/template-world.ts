/**
 * What a template may read besides its values. Told from its text, and rather too often than too seldom: a call that
 * stands in a branch that is never taken counts.
 */

/** Whether it draws on state that an instance of the guest keeps from earlier renders: it then gets a new one. */
export function drawsRandom(template: string): boolean {
  return /\b(?:rand\w*|shuffle|uuidv4|gen\w+|htpasswd|bcrypt|encryptAES|derivePassword)\b/.test(template);
}

/** Whether it may look at the cluster's version or API versions. */
export function readsCapabilities(template: string): boolean {
  return template.includes('Capabilities');
}
