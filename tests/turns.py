"""Use cases that run at once, one call of a port at a time, in an order that the test chooses and can repeat."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from threading import Semaphore, Thread, current_thread
from typing import Any, cast

from plumbline.ports import Stores
from tests.fakes import Crash


@dataclass(eq=False)
class _Task:
    """One of them, on a thread of its own that runs only while it has its turn."""

    work: Callable[[], None]
    turn: Semaphore = field(default_factory=lambda: Semaphore(0))
    done: bool = False
    failed: BaseException | None = None


class Turns:
    """Runs tasks side by side. Whenever one of them calls a port, `choose` says who goes on.

    `strike` comes before every call, and may raise what keeps it from being made. A task that dies of a Crash is over,
    as a killed function is; any other exception is the test's.
    """

    def __init__(self, choose: Callable[[int], int], strike: Callable[[], None] = lambda: None) -> None:
        self._choose = choose
        self._strike = strike
        self._tasks: dict[Thread, _Task] = {}
        self._over = Semaphore(0)

    def run(self, works: Iterable[Callable[[], None]]) -> None:
        """All of them to their ends. `choose` is given how many could go on, and returns which."""
        tasks = [_Task(work) for work in works]
        self._tasks = {Thread(target=self._perform, args=(task,), daemon=True): task for task in tasks}
        for thread in self._tasks:
            thread.start()
        while running := [task for task in tasks if not task.done]:
            running[self._choose(len(running))].turn.release()
            self._over.acquire()
        for thread in self._tasks:
            thread.join()
        for task in tasks:
            if task.failed:
                raise task.failed

    def pause(self) -> None:
        """The running task's turn ends here; it goes on when it is chosen again. Outside of `run` nothing happens."""
        task = self._tasks.get(current_thread())
        if task:
            self._over.release()
            task.turn.acquire()
            self._strike()

    def over[T](self, port: T) -> T:
        """The same port, at every call of which the running task's turn ends."""
        return cast("T", _Paused(port, self))

    def over_all(self, stores: Stores) -> Stores:
        """The same for every store."""
        paused = {f.name: self.over(getattr(stores, f.name)) for f in fields(stores) if f.name != "source"}
        return replace(stores, **paused)

    def _perform(self, task: _Task) -> None:
        task.turn.acquire()
        try:
            task.work()
        except Crash:
            pass
        except BaseException as exc:  # noqa: BLE001  # shown by `run`, in the thread of the test
            task.failed = exc
        finally:
            task.done = True
            self._over.release()


class _Paused:
    """A port behind a Turns. What it does is done at once; what others do comes before or after."""

    def __init__(self, port: object, turns: Turns) -> None:
        self._port = port
        self._turns = turns

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._turns.pause()
            return found(*args, **kwargs)

        return call

    def __iter__(self) -> Iterator[Any]:
        return iter(cast("Any", self._port))
