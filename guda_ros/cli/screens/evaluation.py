"""Tell what an evaluation said: a table on the terminal, and the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.workflows.terminal.tables import print_table

if TYPE_CHECKING:
    from guda_ros.evaluation.results import Evaluation


def tell(evaluation: Evaluation, out: Path | None) -> None:
    """Print what came out, and write the report."""
    import numpy as np

    from guda_ros.evaluation.comparison import compare_groups, summarise_group

    if not any(policy.episodes for policy in evaluation.policies):
        print('no episode was made: there is nothing to report')
        return
    rng = np.random.default_rng(0)
    rows = []
    for name, policies in evaluation.groups.items():
        group = summarise_group(policies, evaluation, rng)
        success, times, touches = (
            group['success'],
            group['seconds_to_score'],
            group['touches_to_score'],
        )
        rows.append(
            [
                name,
                group['seeds'],
                success.value,
                f'{success.low:.2f} to {success.high:.2f}',
                times['median'] if times else float('nan'),
                touches['median'] if touches else float('nan'),
                group['verdicts'].get('out', 0),
                '?' if group['falls'] is None else group['falls'],
                group['episodes'] - group['scored'] - group['verdicts'].get('out', 0),
            ]
        )
    heads = [
        'policy',
        'seeds',
        'success',
        '95 % interval',
        f'median s to {evaluation.contract.words.noun}',
        'touches',
        'ball out',
        'falls',
        'other failures',
    ]
    if not getattr(evaluation.contract, 'has_ball', True):
        touches = heads.index('touches')
        heads[heads.index('ball out')] = 'out'
        for row in (heads, *rows):
            del row[touches]
    print()
    print_table(rows, heads)
    for pair in compare_groups(evaluation, rng):
        difference = pair['difference']
        told = (
            f'{pair["first"]} - {pair["second"]}: {100 * difference.value:+.1f} points '
            f'({100 * difference.low:+.1f} to {100 * difference.high:+.1f})'
        )
        if pair['p'] is not None:
            table = pair['table']
            told += (
                f'; alone: {table.first_only} against {table.second_only}, '
                f'exact McNemar p = {pair["p_adjusted"]:.3g}'
            )
            told += ' (Holm)' if pair['p_adjusted'] != pair['p'] else ''
        print(told)
    print(
        f'starts: the first {len(evaluation.starts)} of {evaluation.starts.name} '
        f'({evaluation.starts.hash})'
    )
    if out:
        from guda_ros.workflows.judging import save_report

        files = save_report(evaluation, out)
        for path in files:
            print(f'{path}: written')
        if len(files) == 1:
            print(
                'no page: matplotlib or Jinja2 is not installed here; make it elsewhere with '
                f'`guda evaluate --compare {out} --out {out}`'
            )
