/** Pages of a list that only knows its next one: the way back is the pages already seen. */

import { href, type Route } from "./route";

/** Cursors in the order they were followed since the page was opened; the first page has none. */
const trail: string[] = [];

export function Pager({ route, next }: { route: Route; next: string | null }) {
  const { cursor, ...first } = route;
  const at = cursor ? trail.indexOf(cursor) : -1;
  const before = at > 0 ? trail[at - 1] : undefined;
  const follow = () => {
    trail.splice(at + 1);
    if (cursor && at < 0) trail.splice(0, trail.length, cursor);
    if (next) trail.push(next);
  };
  if (!cursor && !next) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {cursor ? <a href={href(first)}>First page</a> : <span aria-hidden="true" />}
      {cursor && at >= 0 ? (
        <a href={href(before ? { ...first, cursor: before } : first)}>Newer</a>
      ) : (
        <span aria-hidden="true" />
      )}
      {next ? (
        <a href={href({ ...first, cursor: next })} rel="next" onClick={follow}>
          Older
        </a>
      ) : (
        <span class="soft">The oldest are shown</span>
      )}
    </nav>
  );
}
