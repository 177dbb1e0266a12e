/**
 * Asks a pod over HTTP; redirects are refused. Of an answer that is not ok there is the status and no body.
 *
 * @throws when nothing answers within `timeoutMs`, or `signal` aborts
 */
export async function getFromPod(url: string, timeoutMs: number, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    redirect: 'error',
  });
  if (!response.ok) await response.body?.cancel();
  return response;
}
