import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePackageList } from './debian.ts';

test('the list of Debian packages names a package and its program on each line', () => {
  const text = '# what SSH tests need\nopenssh-server /usr/sbin/sshd # the server\n\n';

  const packages = parsePackageList(text);

  assert.deepEqual(packages, [{ name: 'openssh-server', program: '/usr/sbin/sshd' }]);
});
