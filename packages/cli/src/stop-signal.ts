/** Aborts with the first SIGINT, SIGTERM or SIGHUP: once means «end cleanly», twice means «now». */
export function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  let signals = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      stop.abort(new DOMException(name, 'AbortError'));
      if (++signals > 1) process.exit(130);
    });
  }
  return stop.signal;
}
