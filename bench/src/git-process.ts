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
    /** How many requests were answered: each look of the engine is at least one. */
    requests: () => Promise.resolve(server.requests),
  },
  async () => {
    await server[Symbol.asyncDispose]();
  },
);
