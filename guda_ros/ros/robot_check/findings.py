"""What a check says: one finding for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: From the best to the worst: works as it is; worth knowing; works, but badly; does not work.
FITS, NOTE, WARNING, LACKS = LEVELS = 'fits', 'note', 'warning', 'LACKS'


@dataclass(frozen=True)
class Finding:
    """
    One thing that was looked at.

    subject: topic or thing. aspect: what of it. level: one of LEVELS. found: what was seen. todo:
    what to do about it.
    """

    subject: str
    aspect: str
    level: str
    found: str
    todo: str = ''

    @property
    def sentence(self) -> str:
        """The finding as a line of text."""
        return f'{self.subject}: {self.found}' + (f'; {self.todo}' if self.todo else '')


def table(findings: Iterable[Finding]) -> list[str]:
    """
    Return the lines of a table: subject, level, what was found, and below it what to do.

    What fits of a subject is one line; what does not has one each.
    """
    subjects: dict[str, list[Finding]] = {}
    for finding in findings:
        subjects.setdefault(finding.subject, []).append(finding)
    width = max(map(len, subjects), default=0)
    lines = []
    for subject, found in subjects.items():
        fits = [finding.found for finding in found if finding.level == FITS]
        if fits:
            lines.append(f'{subject:<{width}}  {FITS:<7}  {", ".join(fits)}')
        for finding in found:
            if finding.level != FITS:
                lines.append(f'{subject:<{width}}  {finding.level:<7}  {finding.found}')
                lines += [f'{"":<{width}}           -> {finding.todo}'] * bool(finding.todo)
    return lines
