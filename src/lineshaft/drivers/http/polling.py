"""One group of points that are read in the same rhythm, with one request for each address."""

import asyncio
from collections.abc import Callable, Sequence

from lineshaft.core.batch import Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid, LinkLost, Refused
from lineshaft.core.quality import Quality
from lineshaft.drivers.http.asking import Ask, Asker, Fault
from lineshaft.drivers.http.points import HttpPoint, Payload, decoded, pick

Trouble = Callable[[str, str | None], None]
Pair = tuple[HttpPoint, str]
"""A point and its path."""


class Poll:
    """The points of one rhythm on one device."""

    def __init__(
        self, name: str, pairs: Sequence[Pair], future_max_s: float, trouble: Trouble
    ) -> None:
        self.size = len(pairs)
        self._name = name
        self._future_max_s = future_max_s
        self._trouble = trouble
        self._told: dict[str, str] = {}
        self._asks: dict[Ask, list[Pair]] = {}
        for point, path in pairs:
            self._asks.setdefault(point.ask, []).append((point, path))

    async def read(self, asker: Asker) -> list[Sample]:
        """Ask once for each address; one sample for each point.

        Raises:
            LinkLost: the device answers none of them.
            Refused: it denies all of them.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [
                (group.create_task(asker.ask(ask), name=f"{self._name} {ask.href}"), pairs)
                for ask, pairs in self._asks.items()
            ]
        answers = [(task.result(), pairs) for task, pairs in tasks]
        faults = [answer for answer, _ in answers if isinstance(answer, Fault)]
        if len(faults) == len(answers):
            if all(fault.is_link for fault in faults):
                raise LinkLost(f"{self._name}: {faults[0].text}")
            if all(fault.is_denied for fault in faults):
                raise Refused(
                    f"{self._name}: {faults[0].text}",
                    remedy="Set `username` and `password`, `token` or `api_key`; `tls.ca` for a"
                    " certificate that is not trusted.",
                )
        return [sample for answer, pairs in answers for sample in self._samples(answer, pairs)]

    def _samples(self, answer: bytes | Fault, pairs: Sequence[Pair]) -> list[Sample]:
        if isinstance(answer, Fault):
            return self._bad(pairs, answer.quality, answer.text)
        samples: list[Sample] = []
        contents: dict[Payload, object] = {}
        for point, path in pairs:
            if point.payload not in contents:
                try:
                    contents[point.payload] = decoded(point.payload, answer)
                except Invalid as error:
                    samples += self._bad([(point, path)], Quality.BAD_DECODING_ERROR, str(error))
                    continue
            sample, problem = pick(point, path, contents[point.payload], self._future_max_s)
            self._tell(point, problem)
            samples.append(sample)
        return samples

    def _bad(self, pairs: Sequence[Pair], quality: Quality, problem: str) -> list[Sample]:
        for point, _ in pairs:
            self._tell(point, problem)
        return [Sample(path, now_ns(), None, int(quality)) for _, path in pairs]

    def _tell(self, point: HttpPoint, problem: str | None) -> None:
        """Say the trouble of a point when it is news."""
        place = point.place
        if problem is None:
            if self._told.pop(place, None) is not None:
                self._trouble(place, None)
        elif self._told.get(place) != problem:
            self._told[place] = problem
            self._trouble(place, f"{point.name}: {problem}")
