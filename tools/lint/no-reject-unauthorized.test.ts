import { noRejectUnauthorized } from './no-reject-unauthorized.ts';
import { ruleTester } from './rule-tester.ts';

ruleTester.run('no-reject-unauthorized', noRejectUnauthorized, {
  valid: [`connect({ ca, rejectUnauthorized: true });`, `connect({ rejectUnauthorized: !cluster.skipTlsVerify });`],
  invalid: [
    { code: `connect({ rejectUnauthorized: false });`, errors: [/never switched off/] },
    { code: `connect({ 'rejectUnauthorized': false });`, errors: [/never switched off/] },
    { code: `options.rejectUnauthorized = false;`, errors: [/never switched off/] },
    { code: `process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';`, errors: [/never switched off/] },
    { code: `process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';`, errors: [/never switched off/] },
    { code: `spawn('x', [], { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } });`, errors: [/never switched off/] },
  ],
});
