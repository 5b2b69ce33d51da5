// Serves the repository over smart HTTP, so that what the server of Git costs is nobody's.
import { startGitServer, type FileChange } from '@plumb/test-support/git-server';
import { answerRequests } from './ipc.ts';

const server = await startGitServer();

answerRequests(
  {
    create: (name) => server.create(String(name)),
    commit: (argument) => {
      const { name, files, message } = argument as { name: string; files: Record<string, FileChange>; message: string };
      return server.commit(name, files, { message });
    },
    /** Puts files on a branch of a pull request, which begins at main, as its newest commit; answers that. */
    async pull(argument) {
      const { name, number, files } = argument as {
        name: string;
        number: number;
        files: Record<string, FileChange>;
      };
      const branch = `change-${number}`;
      const known = await server.git(name, ['branch', '--list', branch]);
      if (known.trim() === '') await server.git(name, ['branch', branch, 'main']);
      const head = await server.commit(name, files, { branch, message: `Change ${number}` });
      await server.git(name, ['update-ref', `refs/pull/${number}/head`, head]);
      return head;
    },
    /** How many requests were answered: each look of the engine is at least one. */
    requests: () => Promise.resolve(server.requests),
  },
  async () => {
    await server[Symbol.asyncDispose]();
  },
);
