/** Answers of the API that stay on the page, are asked for again when told, and are there at once on the way back. */

import { useEffect, useState } from "preact/hooks";
import { get, Refused } from "./api";
import { Store, useStore } from "./store";

/** Goes up by one whenever everything shown is to be asked for again. */
export const round = new Store(0);
/** Whether the service could be reached when it was last asked. */
export const reachable = new Store(true);

export const refresh = () => round.set(round.get() + 1);

export interface Resource<T> {
  data: T | null;
  error: string | null;
  /** The data shown is of an earlier question. */
  busy: boolean;
}

const MOST_KEPT = 40;
const kept = new Map<string, unknown>();

function keep(path: string, answer: unknown): void {
  kept.delete(path);
  kept.set(path, answer);
  for (const oldest of kept.keys()) {
    if (kept.size <= MOST_KEPT) break;
    kept.delete(oldest);
  }
}

/** The answer at `path`, or nothing where that is null. What was shown stays until the next answer is here. */
export function useResource<T>(path: string | null): Resource<T> {
  const asked = useStore(round);
  const [state, set] = useState<{ path: string | null; data: T | null; error: string | null }>({
    path: null,
    data: null,
    error: null,
  });
  useEffect(() => {
    if (path === null) return;
    const cancel = new AbortController();
    get<T>(path, cancel.signal, asked > 0).then(
      (data) => {
        reachable.set(true);
        keep(path, data);
        set({ path, data, error: null });
      },
      (failure: unknown) => {
        if (cancel.signal.aborted) return;
        const answered = failure instanceof Refused;
        reachable.set(answered && failure.status < 500);
        const error = answered ? failure.message : "The service could not be reached.";
        set((before) => ({
          path,
          data: answered && failure.status < 500 ? null : before.path === path ? before.data : null,
          error,
        }));
      },
    );
    return () => cancel.abort();
  }, [path, asked]);
  if (path === null) return { data: null, error: null, busy: false };
  const stored = (kept.get(path) as T | undefined) ?? null;
  const current = state.path === path;
  const data = current ? state.data : (stored ?? state.data);
  // What was shown stays where the service is away; the head of the page says so.
  return { data, error: current && data === null ? state.error : null, busy: !current && stored === null };
}
